import Cryptography
import Federation
import Glibc
import Synchronization

/// Files named by the SHA-256 of their content: `DIR/ab/abcd...`.
///
/// A file appears under its name only when all of it is on the disk: it is written as
/// `DIR/tmp-...`, synced, renamed, and the rename is synced. What a crash leaves behind is a `tmp-`
/// file, which the next open removes.
final class BlobStore: BlobShelf {
    let directory: String
    private let drafts = Atomic<UInt64>(0)
    /// The shelves whose names are known to be on the disk, by their digests' first byte.
    private let lastingShelves = Mutex<Set<UInt8>>([])

    /// Opens the store, creates it when missing, and removes what a crash left half written.
    ///
    /// - Throws: `storage` when `directory` cannot be created or written.
    init(directory: String) throws(Fault) {
        try createDirectory(directory)
        self.directory = directory
        try removeLeftovers()
    }

    /// Stores `bytes` and returns their digest; storing the same bytes again changes nothing.
    ///
    /// - Throws: `storage` when the disk refuses; nothing is then visible.
    func put(_ bytes: [UInt8]) throws(Fault) -> Digest {
        let digest = SHA256.digest(of: bytes)
        if holds(digest) { return digest }
        let draft = try FileDraft(in: self)
        try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
            try draft.append(UnsafeRawBufferPointer(bytes))
        }
        try draft.name(digest)
        return digest
    }

    func draft() throws(Fault) -> any BlobTarget { try FileDraft(in: self) }

    func content(of digest: Digest) throws(Fault) -> any BlobContent {
        let file = try StoredFile(try open(digest))
        guard try file.digest() == digest else { throw damaged(digest) }
        return file
    }

    /// Whether `digest` is there, undamaged.
    private func holds(_ digest: Digest) -> Bool { (try? content(of: digest)) != nil }

    private func damaged(_ digest: Digest) -> Fault {
        Fault(
            .storage, "the content of \(path(digest)) is damaged",
            remedy: "restore that file from a backup")
    }

    /// A file that becomes a blob.
    private final class FileDraft: BlobTarget {
        private let store: BlobStore
        private let root: OpenFile
        private let file: OpenFile
        private let path: String
        private var isNamed = false

        init(in store: BlobStore) throws(Fault) {
            self.store = store
            root = try OpenFile(store.directory, O_RDONLY | O_DIRECTORY)
            // Held until the rename, so that `removeLeftovers` in another process keeps away.
            flock(root.descriptor, LOCK_SH)
            let number = store.drafts.add(1, ordering: .relaxed).newValue
            path =
                "\(store.directory)/tmp-\(getpid())-\(ObjectIdentifier(store).hashValue)-\(number)"
            // The same at each attempt, so that who counts failures knows them again.
            file = try OpenFile(
                path, O_WRONLY | O_CREAT | O_EXCL, called: "a new blob in \(store.directory)")
        }

        deinit { if !isNamed { unlink(path) } }

        func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) { try file.write(bytes) }

        func keep(as digest: Digest) throws(Fault) {
            if !store.holds(digest) { try name(digest) }
        }

        func name(_ digest: Digest) throws(Fault) {
            try file.sync()
            try store.publish(path, as: digest, root: root)
            isNamed = true
        }
    }

    /// A blob's open file.
    private final class StoredFile: BlobContent {
        private let file: OpenFile
        let size: Int

        init(_ file: consuming OpenFile) throws(Fault) {
            size = Int(clamping: try file.size())
            self.file = file
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Fault) {
            try file.read(into: buffer, at: UInt64(offset))
        }

        func digest() throws(Fault) -> Digest {
            var hasher = SHA256.Hasher()
            try forEachPiece { hasher.update($0) }
            return hasher.finish()
        }
    }

    /// The whole content of `digest`.
    ///
    /// - Throws: `notFound`; `storage` when the file cannot be read or does not have that digest.
    func get(_ digest: Digest) throws(Fault) -> [UInt8] {
        let file = try open(digest)
        let bytes = try file.read(offset: 0, limit: Int(clamping: try file.size()))
        guard SHA256.digest(of: bytes) == digest else { throw damaged(digest) }
        return bytes
    }

    /// At most `limit` bytes of `digest` from `offset`, and the size of the whole; who puts the
    /// pieces together checks the digest.
    ///
    /// - Throws: `notFound`; `storage` when the file cannot be read.
    func chunk(
        _ digest: Digest, offset: UInt64, limit: Int
    ) throws(Fault) -> (bytes: [UInt8], totalSize: UInt64) {
        let file = try open(digest)
        let size = try file.size()
        guard offset < size, limit > 0 else { return ([], size) }
        return (try file.read(offset: offset, limit: Int(min(UInt64(limit), size - offset))), size)
    }

    func all() throws(Fault) -> [Digest] {
        var digests: [Digest] = []
        try forEachName(in: directory) { shelf throws(Fault) in
            guard shelf.utf8.count == 2 else { return }
            try forEachName(in: "\(directory)/\(shelf)") { name throws(Fault) in
                if let digest = Digest(hex: name) { digests.append(digest) }
            }
        }
        return digests
    }

    func remove(_ digest: Digest) throws(Fault) {
        guard unlink(path(digest)) != 0, errno != ENOENT else { return }
        throw storageFault("cannot remove \(path(digest))", errno)
    }

    func whileNobodyCopies(_ body: () throws(Fault) -> Void) throws(Fault) {
        let lock = try copyLock()
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        defer { flock(lock.descriptor, LOCK_UN) }
        try body()
    }

    /// Runs `body`, which copies blobs; nobody removes any meanwhile.
    func copying<Value>(_ body: () throws(Fault) -> Value) throws(Fault) -> Value {
        let lock = try copyLock()
        while flock(lock.descriptor, LOCK_SH) != 0 {
            guard errno == EINTR else { throw storageFault("cannot lock \(directory)", errno) }
        }
        defer { flock(lock.descriptor, LOCK_UN) }
        return try body()
    }

    private func copyLock() throws(Fault) -> OpenFile {
        try OpenFile("\(directory)/copy.lock", O_RDWR | O_CREAT)
    }

    private func path(_ digest: Digest) -> String {
        "\(directory)/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    private func open(_ digest: Digest) throws(Fault) -> OpenFile {
        do {
            return try OpenFile(path(digest), O_RDONLY)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Fault(.notFound, "there is no blob \(digest)")
        }
    }

    private func publish(
        _ draft: String, as digest: Digest, root: borrowing OpenFile
    ) throws(Fault) {
        let shelf = "\(directory)/\(digest.hex.prefix(2))"
        let isNew = mkdir(shelf, 0o700) == 0
        if isNew { Ownership.inherit(directory: shelf) }
        // Whoever made it may not have come as far as to bring its name to the disk.
        let isLasting = !isNew && lastingShelves.withLock { $0.contains(digest.bytes[0]) }
        guard rename(draft, path(digest)) == 0 else {
            throw storageFault("cannot name \(path(digest))", errno)
        }
        try synchronise(directory: shelf)
        // After the other, which may have brought it to the disk already.
        guard !isLasting else { return }
        try root.sync()
        lastingShelves.withLock { _ = $0.insert(digest.bytes[0]) }
    }

    /// Removes `tmp-` files unless a writer, in this process or another, is at work.
    private func removeLeftovers() throws(Fault) {
        let root = try OpenFile(directory, O_RDONLY | O_DIRECTORY)
        guard flock(root.descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        try forEachName(in: directory) { name in
            if name.hasPrefix("tmp-") { unlink("\(directory)/\(name)") }
        }
    }
}

/// Calls `body` with the name of everything in `directory`.
func forEachName(
    in directory: String, _ body: (String) throws(Fault) -> Void
) throws(Fault) {
    guard let listing = opendir(directory) else {
        throw storageFault("cannot read the directory \(directory)", errno)
    }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
        try body(
            withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            })
    }
}
