import Federation

/// How much the server has to do now, as `status` tells it.
struct LoadReport: Sendable, Equatable {
    /// Connections open now, of whoever.
    var connections = 0
    /// How many may be open; 0: as many as come.
    var connectionLimit = 0
    /// Uploads of which a piece is held in memory.
    var uploads = 0
    /// Bytes of them.
    var uploadBytes: UInt64 = 0
    /// How many bytes of uploads may be in flight; 0: as many as come.
    var uploadByteLimit: UInt64 = 0
    /// Connections that were turned away or shed since the start.
    var shed: UInt64 = 0
    /// TLS handshakes that ended since the start.
    var handshakes: UInt64 = 0
    var handshakesFailed: UInt64 = 0
}

/// Whether the state directory takes what the fleet has to keep.
enum StorageState: Sendable, Equatable {
    case serving
    /// Too little space is left, or a write failed for want of it.
    case full(why: String)
    /// The file system refuses writes, or fails at them.
    case readOnly(why: String)

    /// How the wire names it.
    var name: String {
        switch self {
        case .serving: "serving"
        case .full: "storage full"
        case .readOnly: "read only"
        }
    }

    /// Why nothing new is begun; nil while the storage serves.
    var refusal: Fault? {
        switch self {
        case .serving: nil
        case .full(let why):
            Fault(
                .storage, "the storage is full: \(why)",
                remedy:
                    "free space on the state directory's disk; the coordinator goes on by itself")
        case .readOnly(let why):
            Fault(
                .storage, "the state directory is not writable: \(why)",
                remedy:
                    "make its file system writable again; the coordinator goes on by itself")
        }
    }
}

extension Fleet {
    /// The server has this much to do.
    func carries(_ load: LoadReport) { self.load = load }

    /// The state directory is in this state from now on.
    ///
    /// - Returns: whether that is another; the reason of the same may be in new words, such as how much is free.
    func storesInto(_ storage: StorageState) -> Bool {
        let isOther = self.storage.name != storage.name
        self.storage = storage
        guard isOther else { return false }
        // Schedules, queued jobs and agents that were told to come back look again.
        offers.fire()
        workChanges.fire()
        progress.fire()
        return true
    }

    /// Refuses to begin anything new while the storage does not serve.
    func refuseIfNotStoring() throws(Fault) {
        if let refusal = storage.refusal { throw refusal }
    }
}
