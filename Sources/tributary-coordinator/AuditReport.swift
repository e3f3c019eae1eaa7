import AdminConsole
import Provenance
import Registry

extension RegistryAudit.Report {
    /// The audit as one document.
    var json: JSONValue {
        .object([
            ("clean", .bool(isClean)),
            ("checkpoint", checkpoint.map(\.json) ?? .null),
            (
                "checked",
                .object([
                    ("leaves", .number(leaves)), ("rows", .number(rows)),
                    ("blobs", .number(blobs)), ("tiles", .number(tiles)),
                ])
            ),
            (
                "findings",
                .array(
                    findings.map {
                        .object([("subject", .string($0.subject)), ("what", .string($0.what))])
                    })
            ), ("omitted_findings", .number(UInt64(omitted))),
        ])
    }

    /// A line for each finding, then what was checked.
    var text: String {
        // Whoever changed the registry also chose what stands in it.
        let found = findings.map { printable("\($0.subject): \($0.what)") + "\n" }.joined()
        let omitted = omitted > 0 ? "and \(omitted) more\n" : ""
        let count = findings.count + self.omitted
        let verdict =
            isClean
            ? "everything agrees" : "NOT AS LOGGED: \(count) finding\(count == 1 ? "" : "s")"
        let checked = "\(leaves) leaves, \(rows) rows, \(blobs) blobs, \(tiles) files of the log"
        return found + omitted + "\(verdict); checked \(checked)\n"
            + (checkpoint.map { "\($0.facts)\n" } ?? "")
    }
}
