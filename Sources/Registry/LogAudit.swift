import Federation
import Foundation
import GRDB
import Provenance

/// Replays the log: every leaf, what it sealed, the tree above the leaves, and the signed root.
struct LogAudit {
    private let db: Database
    private let key: LogKey
    private let published: SignedCheckpoint?
    private var tiles: TileAudit
    /// The newest complete subtree of each level: all that the leaves to come need.
    private var edge: [Int: Digest] = [:]
    private var size: UInt64 = 0
    /// False once a leaf is missing: there is no tree above what is left.
    private var isWhole = true
    private var nodes = 0

    init(db: Database, key: LogKey, directory: String, published: SignedCheckpoint?) {
        self.db = db
        self.key = key
        self.published = published
        tiles = TileAudit(
            directory: directory + "/log", size: published?.checkpoint.size ?? 0)
    }

    mutating func run(_ report: inout RegistryAudit.Report) throws {
        let events = try Row.fetchCursor(
            db, sql: "SELECT number, leaf, leafHash, unix, salt FROM events ORDER BY number")
        comparePublished(&report)
        while let event = try events.next() {
            let number: UInt64 = try event.value("number")
            if number != size {
                report.add("leaf \(size)", "it is missing")
                isWhole = false
            }
            do {
                let leaf: Data = try event.value("leaf")
                try compare(event, number: number, leaf: Array(leaf), &report)
            } catch {
                report.add("leaf \(number)", fault(from: error, during: "read it").message)
                isWhole = false
            }
            size = number + 1
            report.leaves += 1
            comparePublished(&report)
        }
        try compareCheckpoint(&report)
        try compareStrays(&report)
    }

    private mutating func compare(
        _ event: Row, number: UInt64, leaf: [UInt8], _ report: inout RegistryAudit.Report
    ) throws {
        let stored: Digest = try event.value("leafHash")
        if Merkle.leafHash(leaf) != stored {
            report.add("leaf \(number)", "its bytes are not those of the hash stored with it")
        }
        let fields = LeafFields(leaf)
        if let time = fields?.time, try event.value("unix") != time {
            report.add("leaf \(number)", "the time stored with it is not its own")
        }
        try compareSeals(event, number: number, sealed: fields?.text("rows"), &report)
        guard isWhole else { return }
        let made = LogTree.nodes(appending: stored, at: number) {
            edge[$0.level] ?? Merkle.emptyRoot
        }
        for (node, hash) in made {
            edge[node.level] = hash
            guard node.level > 0 else { continue }
            nodes += 1
            if try storedHashes(from: node, count: 1, in: db).first != hash {
                report.add(
                    "log_nodes \(node.level) \(node.index)",
                    "it is missing, or is not the hash of the leaves below it")
            }
        }
        tiles.add(leaf, completing: made, &report)
    }

    private func compareSeals(
        _ event: Row, number: UInt64, sealed: String?, _ report: inout RegistryAudit.Report
    ) throws {
        let salt: Digest? = try event.optional("salt")
        guard let salt else {
            if sealed != nil { report.add("leaf \(number)", "the salt of its seals is missing") }
            return
        }
        guard try digestOfSeals(at: number, salt: salt, in: db).hex != sealed else { return }
        let rows = try String.fetchAll(
            db,
            sql: """
                SELECT facet || ' ' || rowKey FROM sealed_rows WHERE event = ?
                    ORDER BY facet, rowKey LIMIT 5
                """, arguments: [number])
        report.add(
            "leaf \(number)",
            "its salt or its rows in sealed_rows were changed (now \(rows.joined(separator: ", ")))"
        )
    }

    /// Once the leaves are as many as those of `log/checkpoint`.
    private mutating func comparePublished(_ report: inout RegistryAudit.Report) {
        guard isWhole, let published, published.checkpoint.size == size else { return }
        tiles.finish(&report)
        if root != published.checkpoint.root {
            report.add("log/checkpoint", "the registry's leaves do not make the root it signs")
        }
    }

    private var root: Digest {
        LogTree.root(size: size) { edge[$0.level] ?? Merkle.emptyRoot }
    }

    private func compareCheckpoint(_ report: inout RegistryAudit.Report) throws {
        if let published, published.checkpoint.size > size {
            report.add(
                "log/checkpoint",
                "it is of \(published.checkpoint.size) leaves, and the registry has \(size)")
        }
        report.look(at: "checkpoint") { report in
            let signed = try storedCheckpoint(key: key, in: db)
            report.checkpoint = signed
            let signedSize = signed.checkpoint.size
            let size = size
            if signedSize > size {
                report.add(
                    "leaf \(size)", "it is missing; the checkpoint is of \(signedSize) leaves")
            } else if signedSize < size {
                report.add(
                    "leaf \(signedSize)",
                    "it is not signed; the checkpoint is of \(signedSize) leaves")
            } else if isWhole, root != signed.checkpoint.root {
                report.add("checkpoint", "the leaves do not make the root that it signs")
            }
            if try UInt64.fetchAll(db, sql: "SELECT size FROM checkpoint") != [signedSize] {
                report.add("checkpoint", "it is not the only one, or its size is not its own")
            }
        }
    }

    /// What belongs to no leaf.
    private func compareStrays(_ report: inout RegistryAudit.Report) throws {
        let events = try UInt64.fetchCursor(
            db,
            sql: """
                SELECT DISTINCT event FROM sealed_rows
                    WHERE event NOT IN (SELECT number FROM events WHERE salt IS NOT NULL)
                """)
        while let event = try events.next() {
            report.add("sealed_rows \(event)", "leaf \(event) sealed no rows")
        }
        let stored = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM log_nodes") ?? 0
        if isWhole, stored > nodes {
            report.add(
                "log_nodes", "it holds \(stored - nodes) nodes above leaves that are not there")
        }
    }
}
