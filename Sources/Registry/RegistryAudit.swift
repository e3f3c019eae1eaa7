import Cryptography
package import Federation
import GRDB
import Glibc
package import Provenance

/// Compares a state directory with its signed log, without changing either: what somebody changed
/// who has no keys is named. It may run beside the daemon.
package enum RegistryAudit {
    /// One thing that does not agree with the log.
    package struct Finding: Sendable, Equatable {
        /// What it is about: a table and the key of a row, a leaf, a blob or a file.
        package let subject: String
        /// What is wrong with it.
        package let what: String
    }

    /// What an audit looked at and found.
    package struct Report: Sendable, Equatable {
        /// The most that `findings` holds.
        package static let mostFindings = 1000

        /// Empty when everything agrees.
        package fileprivate(set) var findings: [Finding] = []
        /// Findings beyond `mostFindings`.
        package fileprivate(set) var omitted = 0
        /// Leaves, rows, blobs and files of the tiled log that were compared.
        package internal(set) var leaves: UInt64 = 0
        package internal(set) var rows: UInt64 = 0
        package internal(set) var blobs: UInt64 = 0
        package internal(set) var tiles: UInt64 = 0
        /// What the leaves were compared with; nil when there is none that the log key signed.
        package internal(set) var checkpoint: SignedCheckpoint?

        package var isClean: Bool { findings.isEmpty }

        mutating func add(_ subject: String, _ what: String) {
            if findings.count < Self.mostFindings {
                // A forged key may be of any length.
                findings.append(
                    Finding(subject: String(subject.prefix(300)), what: String(what.prefix(600))))
            } else {
                omitted += 1
            }
        }

        /// Runs `body`; what keeps it from its end is a finding about `subject`.
        mutating func look(at subject: String, _ body: (inout Report) throws -> Void) {
            do { try body(&self) } catch {
                add(subject, fault(from: error, during: "read it").message)
            }
        }
    }

    /// Audits `DIR/registry.sqlite`, `DIR/blobs` and `DIR/log`.
    ///
    /// - Parameters:
    ///   - log: the key that signed the log, from a source other than the directory.
    ///   - readsBlobs: false leaves out what takes time: SQLite's own check and the contents of blobs.
    /// - Throws: `notFound` when there is no registry; `conflict` when a newer Tributary made it.
    package static func run(
        directory: String, log: LogKey, readsBlobs: Bool = true
    ) throws(Fault) -> Report {
        let file = directory + "/registry.sqlite"
        guard access(file, F_OK) == 0 else {
            throw Fault(
                .notFound, "\(directory) holds no registry", remedy: "name a coordinator's --dir")
        }
        var report = Report()
        // Before the registry: a daemon that runs meanwhile must not seem to be ahead of itself.
        let published = publishedCheckpoint(in: directory, key: log, report: &report)
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { limitRows(of: $0) }
            let registry = try DatabaseQueue(path: file, configuration: configuration)
            try registry.read { db in
                guard
                    try audit(db, in: directory, key: log, published: published, report: &report),
                    readsBlobs
                else { return }
                try auditContents(of: db, in: directory, report: &report)
            }
        } catch {
            let fault = fault(from: error, during: "read it")
            guard fault.code != .conflict else { throw fault }
            report.add("registry.sqlite", fault.message)
        }
        return report
    }

    /// - Returns: whether the registry is of this version, so that there is more to be read.
    private static func audit(
        _ db: Database, in directory: String, key: LogKey, published: SignedCheckpoint?,
        report: inout Report
    ) throws -> Bool {
        guard let tables = try soundTables(in: db, report: &report) else { return false }
        if tables.isSuperset(of: ["events", "log_nodes", "checkpoint", "sealed_rows"]) {
            report.look(at: "events") { report in
                var audit = LogAudit(db: db, key: key, directory: directory, published: published)
                try audit.run(&report)
            }
            for facet in Facet.all where tables.contains(facet.table) {
                report.look(at: facet.table) { try compareRows(of: facet, in: db, report: &$0) }
            }
            report.look(at: "models") { try compareModelPositions(in: db, report: &$0) }
        }
        return true
    }

    private static func auditContents(
        of db: Database, in directory: String, report: inout Report
    ) throws {
        report.look(at: "registry.sqlite") { report in
            for line in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)")
            where line != "ok" { report.add("registry.sqlite", line) }
        }
        for facet in Facet.all where try !facet.blobs.isEmpty && db.tableExists(facet.table) {
            report.look(at: facet.table) {
                try compareBlobs(of: facet, in: db, directory: directory, report: &$0)
            }
        }
    }

    private static func publishedCheckpoint(
        in directory: String, key: LogKey, report: inout Report
    ) -> SignedCheckpoint? {
        var published: SignedCheckpoint?
        report.look(at: "log/checkpoint") { report in
            var files = DirectorySource(directory: directory + "/log")
            guard let note = try files.read(LogFiles.checkpointName) else {
                return report.add("log/checkpoint", "it is missing")
            }
            published = try SignedCheckpoint(note: note, key: key)
        }
        return published
    }
}
