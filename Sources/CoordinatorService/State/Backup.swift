import Cryptography
package import Federation
import Foundation
import Registry

/// What a backup is of. A directory without it is no complete backup: it is written last.
package struct Backup: Sendable, Equatable {
    package let fleet: String
    package let takenUnix: UInt64
    /// The log's entries in it, and their root: where the fleet stood.
    package let leaves: UInt64
    package let root: Digest
    /// Whether it holds private keys.
    package let hasKeys: Bool

    private static let title = "tributary-backup/v1"

    static func file(in directory: String) -> String { directory + "/backup" }

    init(fleet: String, takenUnix: UInt64, leaves: UInt64, root: Digest, hasKeys: Bool) {
        self.fleet = fleet
        self.takenUnix = takenUnix
        self.leaves = leaves
        self.root = root
        self.hasKeys = hasKeys
    }

    /// Reads what `write` wrote into `directory`.
    ///
    /// - Throws: `Fault.invalid` when it holds no complete backup.
    package init(in directory: String) throws(Fault) {
        let bytes = (try? CredentialFile.read(Self.file(in: directory))) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 1).map(String.init)
        }
        let fields = lines.dropFirst().filter { $0.count == 2 }
        let values = Dictionary(fields.map { ($0[0], $0[1]) }) { first, _ in first }
        guard lines.first == [Self.title], let fleet = values["fleet"], isName(fleet, atMost: 64),
            let taken = values["taken"].flatMap(UInt64.init),
            let leaves = values["leaves"].flatMap(UInt64.init),
            let root = values["root"].flatMap(Digest.init(hex:)), let keys = values["keys"]
        else {
            throw Fault(
                .invalid, "\(directory) holds no complete backup of a coordinator",
                remedy: "name a directory that `tributary-coordinator backup` has written")
        }
        self.init(
            fleet: fleet, takenUnix: taken, leaves: leaves, root: root, hasKeys: keys == "yes")
    }

    func write(in directory: String) throws(Fault) {
        let text = """
            \(Self.title)
            fleet \(fleet)
            taken \(takenUnix)
            leaves \(leaves)
            root \(root.hex)
            keys \(hasKeys ? "yes" : "no")

            """
        try CredentialFile.create(
            Self.file(in: directory), Array(text.utf8), mode: CredentialFile.publicMode)
    }
}

/// A small file of a state directory, as a backup holds it.
struct SmallFile: Equatable {
    /// Relative to the directory.
    let name: String
    let bytes: [UInt8]
    let isSecret: Bool

    /// Writes it into `directory`, with the folder it is in.
    ///
    /// - Throws: `Fault.conflict` when it is there already; `Fault.storage`.
    func write(in directory: String) throws(Fault) {
        if let slash = name.lastIndex(of: "/") {
            try createDirectory(directory + "/" + name[..<slash])
        }
        try CredentialFile.create(
            directory + "/" + name, bytes,
            mode: isSecret ? CredentialFile.secretMode : CredentialFile.publicMode)
    }

    /// The regular files of `folder` in `directory`, in order of their names; none when there is no such folder.
    ///
    /// - Parameters:
    ///   - newFolder: the folder of their names; nil: `folder`.
    ///   - isSecret: whether only the owner may read the file of that name.
    static func all(
        of folder: String, in directory: String, named newFolder: String? = nil,
        isSecret: (String) -> Bool
    ) throws(Fault) -> [SmallFile] {
        let path = folder.isEmpty ? directory : directory + "/" + folder
        var files: [SmallFile] = []
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
            files.append(
                SmallFile(
                    name: (newFolder ?? folder) + "/" + name,
                    bytes: try CredentialFile.read(path + "/" + name), isSecret: isSecret(name)))
        }
        return files
    }
}
