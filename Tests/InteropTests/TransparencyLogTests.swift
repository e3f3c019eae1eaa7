import Cryptography
import Federation
import Foundation
import Provenance
import Testing

extension InteropTests {
    /// What this project's library writes, read by Go's sumdb/note and sumdb/tlog.
    @Suite("The transparency log")
    struct TransparencyLogTests {
        private static let versions = 20

        @Test("of 300 leaves with 20 model versions convinces Go's libraries")
        func accepted() async throws {
            try await withAuditor { auditor, log in
                let finished = try await auditor.check(log)
                #expect(finished.status == 0, "\(finished)")
                let lines = finished.output.split(separator: "\n")
                #expect(lines.allSatisfy { $0.hasPrefix("ok   ") })
                #expect(lines.count == 4 + Self.versions)
            }
        }

        @Test(
            "does not when one byte of a tile, a bundle or the checkpoint changes, or one is gone",
            arguments: [
                ("tile/0/000", "hashes of"), ("tile/0/001.p/44", "hashes of"),
                ("tile/1/000.p/1", "hashes of"), ("tile/entries/000", "entries of"),
                ("tile/entries/001.p/44", "entries of"), ("checkpoint", "checkpoint"),
            ])
        func damagedFile(path: String, check: String) async throws {
            try await withAuditor { auditor, log in
                let file = log.directory.appending(path: path)
                for change in [Damage.changedByte, .truncation] {
                    try change.apply(to: file)
                    let finished = try await auditor.check(log)
                    #expect(finished.status == 1, "\(finished)")
                    #expect(finished.output.contains("FAIL \(check)"), "\(finished)")
                    try log.write()
                }
                try FileManager.default.removeItem(at: file)
                #expect(try await auditor.check(log).status == 1)
            }
        }

        @Test("has proofs that fail when a byte changes in any line, or one is missing")
        func damagedProof() async throws {
            try await withAuditor { auditor, log in
                let proof = try #require(log.proofs.last)
                let lines = try text(of: proof).split(
                    separator: "\n", omittingEmptySubsequences: false)
                // All but the line that ends the note, which is empty too.
                for index in lines.indices.dropLast() {
                    var fewer = lines
                    fewer.remove(at: index)
                    var changed = lines
                    changed[index] = Substring(Damage.changed(String(lines[index])))
                    for text in [fewer, changed] {
                        try Data(text.joined(separator: "\n").utf8).write(to: proof)
                        let finished = try await auditor.check(log)
                        #expect(finished.status == 1, "\(index): \(finished)")
                        let lines = finished.output.split(separator: "\n")
                        let failures = lines.filter { $0.hasPrefix("FAIL ") }
                        #expect(failures.count == 1, "\(finished)")
                        #expect(
                            failures.first?.contains(proof.lastPathComponent) == true)
                    }
                }
            }
        }

        @Test("that was forked and signed anew, or rolled back, does not fit an earlier checkpoint")
        func forkedAndRolledBack() async throws {
            try await withAuditor { auditor, log in
                var forked = log
                forked.replaceLeaf(at: 100)
                try forked.write()
                let fork = try await auditor.check(forked, proofs: [])
                #expect(fork.status == 1, "\(fork)")
                #expect(fork.output.contains("FAIL growth"))
                #expect(fork.output.contains("ok   entries of 300 leaves"))
                // Proofs made before the fork are of another log too.
                let proofs = try await auditor.check(forked)
                #expect(proofs.output.contains("FAIL proof v19.tlog-proof"), "\(proofs)")

                var shorter = log
                shorter.removeLeaves(from: 150)
                try shorter.write()
                let rollback = try await auditor.check(shorter, proofs: [])
                #expect(rollback.status == 1, "\(rollback)")
                #expect(rollback.output.contains("FAIL growth"))
                #expect(rollback.output.contains("has 150 leaves and had 200"))
            }
        }

        @Test("signed by another key of the same name is not believed")
        func otherKey() async throws {
            try await withAuditor { auditor, log in
                let stranger = try LogSigner(
                    name: log.signer.verifier.name, key: PrivateKey.generate(.ed25519))
                let finished = try await auditor.check(
                    vkey: stranger.verifier.vkey, log: log.directory)
                #expect(finished.status == 1, "\(finished)")
                #expect(finished.output.contains("FAIL checkpoint"))
            }
        }

        private func withAuditor(
            _ body: (LogAuditor, AuditedLog) async throws -> Void
        ) async throws {
            try await withTemporaryDirectory { directory in
                let auditor = try await LogAuditor(builtIn: directory)
                let log = try AuditedLog(
                    in: directory.appending(path: "log"), versions: Self.versions)
                try log.write()
                try log.writeProofs()
                try await body(auditor, log)
            }
        }
    }
}

extension LogAuditor {
    fileprivate func check(_ log: AuditedLog, proofs: [URL]? = nil) async throws -> Finished {
        try await check(
            vkey: log.signer.verifier.vkey, log: log.directory, since: log.earlier,
            proofs: proofs ?? log.proofs)
    }
}

/// What may befall a file.
private enum Damage {
    case changedByte, truncation

    func apply(to file: URL) throws {
        var bytes = try Data(contentsOf: file)
        switch self {
        case .changedByte: bytes[bytes.count / 2] ^= 1
        case .truncation: bytes.removeLast()
        }
        try bytes.write(to: file)
    }

    /// `line` with its middle character exchanged; an empty one with a space.
    static func changed(_ line: String) -> String {
        guard !line.isEmpty else { return " " }
        let middle = line.index(line.startIndex, offsetBy: line.count / 2)
        let other = line[middle] == "B" ? "C" : "B"
        return line.replacingCharacters(in: middle...middle, with: other)
    }
}

/// A log of 300 leaves, some of which sign model versions, in a directory.
private struct AuditedLog {
    let directory: URL
    let signer: LogSigner
    /// A checkpoint of the first 200 leaves.
    let earlier: URL
    let proofs: [URL]
    private var leaves: [[UInt8]]
    private let signed: [UInt64]

    init(in directory: URL, versions: Int) throws {
        self.directory = directory
        signer = try LogSigner(name: "tributary/north", key: PrivateKey.generate(.ed25519))
        leaves = (0..<300).map { position in
            let event = FleetEvent(
                position % 15 == 14 ? .modelSigned : .roundStarted,
                [("plan", .text("fashion")), ("round", .number(UInt64(position)))])
            return event.leafBytes(unix: 1_800_000_000, rows: nil)
        }
        signed = (0..<versions).map { UInt64($0 * 15 + 14) }
        let beside = directory.deletingLastPathComponent()
        earlier = beside.appending(path: "earlier")
        proofs = (0..<versions).map { beside.appending(path: "v\($0).tlog-proof") }
        try Data(signer.sign(checkpoint(200)).note).write(to: earlier)
    }

    mutating func replaceLeaf(at position: Int) { leaves[position] = Array("{}".utf8) }

    mutating func removeLeaves(from position: Int) { leaves.removeSubrange(position...) }

    /// Writes tiles and checkpoint in place of what is there.
    func write() throws {
        try? FileManager.default.removeItem(at: directory)
        let size = UInt64(leaves.count)
        for path in Tiles.paths(growingFrom: 0, to: size) {
            try write(bytes(of: path), to: directory.appending(path: path.text))
        }
        try write(
            signer.sign(checkpoint(size)).note, to: directory.appending(path: "checkpoint"))
    }

    /// Writes a proof of every version as it was made: under the checkpoint of its own time.
    func writeProofs() throws {
        for (position, file) in zip(signed, proofs) {
            let size = position + 1
            let path = LogTree.inclusionPath(index: position, size: size, node: node)
            let proof = LogProof(
                leaf: leaves[Int(position)], index: position, path: path,
                checkpoint: try signer.sign(checkpoint(size)).note)
            try write(proof.encoded(), to: file)
        }
    }

    private func bytes(of path: TilePath) throws -> [UInt8] {
        switch path {
        case .hashes(let level, let index, let width):
            return Tiles.hashes(level: level, index: index, width: width, node: node)
        case .entries(let index, let width):
            let first = Int(index) * TilePath.fullWidth
            return try Tiles.entries(Array(leaves[first..<first + width]))
        }
    }

    private func checkpoint(_ size: UInt64) -> Checkpoint {
        Checkpoint(
            origin: signer.verifier.name, size: size, root: LogTree.root(size: size, node: node))
    }

    /// Worked out from the leaves each time: the log is small.
    private func node(_ node: LogNode) -> Digest {
        if node.level == 0 { return Merkle.leafHash(leaves[Int(node.index)]) }
        return Merkle.nodeHash(
            self.node(LogNode(level: node.level - 1, index: 2 * node.index)),
            self.node(LogNode(level: node.level - 1, index: 2 * node.index + 1)))
    }

    private func write(_ bytes: [UInt8], to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}
