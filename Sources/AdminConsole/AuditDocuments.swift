import Federation
import Wire

// The log's answers as JSON. A leaf stands there as the text that the log hashes.

extension LogEntries {
    var json: JSONValue {
        .object([("size", .number(size)), ("entries", .array(items.map(\.json)))])
    }
}

extension LogEntry {
    var json: JSONValue {
        .object([
            ("index", .number(index)), ("logged_unix", .number(loggedUnix)), ("leaf", text(leaf)),
        ])
    }
}

extension LogProofRecord {
    var json: JSONValue { .object([("proof", text(proof))]) }
}

extension CheckpointRecord {
    var json: JSONValue {
        .object([
            ("note", text(note)),
            ("consistency", .array(consistency.map { .string(hexadecimal($0)) })),
        ])
    }
}

extension TrustRecord {
    var json: JSONValue { .object([("document", text(document))]) }
}

private func text(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: bytes, as: UTF8.self)) }
