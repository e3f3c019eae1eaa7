package import Federation
package import Foundation

/// A run's record on disk, and beside it, until the run is finished, what it goes on from.
package struct RunFile: Sendable, Equatable {
    /// Of the record.
    package let path: String
    /// Of the checkpoint.
    package var checkpoint: String { path + ".checkpoint" }

    package init(path: String) { self.path = path }

    /// The file's name without `.json`.
    package var name: String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".json") ? String(file.dropLast(5)) : file
    }

    /// Reads the record.
    ///
    /// - Throws: `Fault.notFound`, or `Fault.invalid` when it is no record or one of another schema.
    package func read() throws(Fault) -> RunRecord {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Fault(
                .notFound, "there is no record \(path)",
                remedy: "`runs list` shows the records there are")
        }
        struct Schema: Decodable { let schema: String }
        do {
            let schema = try JSONDecoder().decode(Schema.self, from: bytes).schema
            guard schema == RunRecord.schema else {
                throw Fault(
                    .invalid, "\(path) is a record of the schema \(schema)",
                    remedy: "read it with the version of this program that wrote it")
            }
            return try JSONDecoder().decode(RunRecord.self, from: bytes)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.invalid, "\(path) is no run's record", remedy: "check the file's name")
        }
    }

    /// Writes the record in place of the one before: whoever reads sees all of one of them, whenever
    /// this process ends.
    ///
    /// - Throws: `Fault.storage`.
    package func write(_ record: RunRecord) throws(Fault) {
        try replace(path, try RunFile.text(record))
    }

    /// Writes the record's first version, and the directory it is in.
    ///
    /// - Throws: `Fault.conflict` when there is something of that name; `Fault.storage`.
    package func create(_ record: RunRecord) throws(Fault) {
        let text = try RunFile.text(record)
        do {
            let parent = URL(filePath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: parent, withIntermediateDirectories: true)
            try text.write(to: URL(filePath: path), options: .withoutOverwriting)
        } catch CocoaError.fileWriteFileExists {
            throw Fault(
                .conflict, "\(path) exists already",
                remedy: "choose another name, or go on with that run: simulate --resume \(path)")
        } catch {
            throw storageFault(path, error)
        }
    }

    /// Writes what the run can go on from.
    ///
    /// - Throws: `Fault.storage`.
    package func writeCheckpoint(_ bytes: [UInt8]) throws(Fault) {
        try replace(checkpoint, Data(bytes))
    }

    /// What the run can go on from; nil when nothing was kept yet.
    package func readCheckpoint() -> [UInt8]? {
        FileManager.default.contents(atPath: checkpoint).map { [UInt8]($0) }
    }

    /// Forgets what a finished run went on from.
    package func removeCheckpoint() { try? FileManager.default.removeItem(atPath: checkpoint) }

    /// The record as it is written.
    ///
    /// - Throws: `Fault.internal` when it holds what JSON has no word for.
    package static func text(_ record: RunRecord) throws(Fault) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return try encoder.encode(record) + [UInt8(ascii: "\n")]
        } catch {
            throw Fault(.internal, "the run's record cannot be written: \(error)")
        }
    }

    private func replace(_ path: String, _ bytes: Data) throws(Fault) {
        do {
            try bytes.write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw storageFault(path, error)
        }
    }

    private func storageFault(_ path: String, _ error: any Error) -> Fault {
        Fault(
            .storage, "cannot write \(path): \(error.localizedDescription)",
            remedy: "check its directory and the space left, or choose another with --runs")
    }
}
