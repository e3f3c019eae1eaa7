import AdminConsole
import ArgumentParser
import Console
import Cryptography
import Federation
import Provenance
import Registry

/// Exits 0 when everything agrees, 1 when something does not, 2 when that could not be found out.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a state directory against its log: every row, blob, leaf and tile.",
        discussion: """
            Reads the files alone, whether or not the coordinator runs, and changes nothing. Exit \
            status 0: everything agrees; 1: each line names something that does not; 2: it could \
            not be checked. Whoever does not believe the directory's own trust set gives --trust.

            \(examples(
                "audit verify --dir STATE",
                "audit verify --dir STATE --trust trust-set.json --json"))
            """)

    @Option(name: .customLong("dir"), help: "The coordinator's state directory.")
    var directory: String

    @Option(name: .customLong("trust"), help: "The fleet's trust set (default: the directory's).")
    var trustFile: String?

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    func run() async throws {
        let time = ElapsedTime("checking rows, blobs and leaves")
        defer { time.end() }
        let report: RegistryAudit.Report
        do throws(Fault) {
            let trust = try TrustSet(
                document: try CredentialFile.read(trustFile ?? "\(directory)/trust-set.json"))
            report = try RegistryAudit.run(directory: directory, log: trust.log)
        } catch {
            time.end()
            let remedy = error.remedy.isEmpty ? "" : "  \(error.remedy)\n"
            OutputStream.error.write("error: \(error.message)\n\(remedy)")
            if wantsJSON { OutputStream.standard.write(error.json.text + "\n") }
            throw ExitCode(2)
        }
        time.end()
        OutputStream.standard.write(wantsJSON ? report.json.text + "\n" : report.text)
        if !report.isClean { throw ExitCode(1) }
    }
}
