import AdminConsole
import Federation
import Foundation
import Testing
import Wire

@Suite("Answers as JSON")
struct RecordDocumentsTests {
    private func members(_ value: JSONValue) -> [String: JSONValue] {
        guard case .object(let members) = value else { return [:] }
        return Dictionary(members) { first, _ in first }
    }

    /// The only element of the only array of `value`.
    private func item(_ value: JSONValue, _ name: String) throws -> JSONValue {
        let member = try #require(members(value)[name])
        guard case .array(let items) = member else { throw Fault(.internal, "\(name) is no array") }
        return try #require(items.first)
    }

    /// Field names of `message` in admin.proto.
    private func fields(of message: String) throws -> Set<String> {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../proto/tributary/v1/admin.proto")
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "message \(message) {"))
        let end = try #require(text.range(of: "}", range: start.upperBound..<text.endIndex))
        let lines = text[start.upperBound..<end.lowerBound].split(separator: "\n")
        let names = lines.compactMap { line -> String? in
            let words = line.split(separator: "=")[0].split(separator: " ")
            return words.count > 1 ? String(words[words.count - 1]) : nil
        }
        return Set(names)
    }

    @Test("every field of a message is a member of that name")
    func names() throws {
        func check(_ message: String, _ value: JSONValue) throws {
            // Whether there is another page, only the client needs to know.
            let told = try fields(of: message).subtracting(["more_rounds"])
            #expect(Set(members(value).keys) == told, "\(message)")
        }
        let agent = AgentRecord(plans: [AgentPlanRecord()])
        let round = RoundRecord(history: [PhaseRecord()])
        let job = JobRecord(rounds: [round])
        try check("PlanRecord", AdminResponse.plan(PlanRecord(text: [65])).json)
        let jobs = AdminResponse.jobs(JobSummaries(items: [JobSummary()])).json
        try check("JobSummary", try item(jobs, "jobs"))
        try check("StatusRecord", AdminResponse.status(StatusRecord()).json)
        try check("TokenIssued", AdminResponse.token(TokenIssued()).json)
        try check("AgentRecord", AdminResponse.agent(agent).json)
        try check("AgentPlanRecord", try item(AdminResponse.agent(agent).json, "plans"))
        try check("RoundRecord", AdminResponse.round(round).json)
        try check("PhaseRecord", try item(AdminResponse.round(round).json, "history"))
        try check("JobRecord", AdminResponse.job(job).json)
        try check("RoundRecord", try item(AdminResponse.job(job).json, "rounds"))
        let trial = members(
            AdminResponse.round(RoundRecord(distillation: DistillationRecord())).json)
        try check("DistillationRecord", try #require(trial["distillation"]))
        let model = ModelRecord(files: [ModelFile()])
        try check("ModelFile", try item(AdminResponse.model(model).json, "files"))
        let report = AdminResponse.doctor(DoctorReport(items: [DoctorLine()])).json
        try check("DoctorLine", try item(report, "checks"))
        let ledger = AdminResponse.ledger(LedgerRecord(charges: [ChargeRecord()])).json
        try check("LedgerRecord", ledger)
        try check("ChargeRecord", try item(ledger, "charges"))
        let log = AdminResponse.log(LogEntries(items: [LogEntry()])).json
        try check("LogEntry", try item(log, "entries"))
        try check("LogProofRecord", AdminResponse.logProof(LogProofRecord()).json)
        try check("CheckpointRecord", AdminResponse.checkpoint(CheckpointRecord()).json)
        try check("TrustRecord", AdminResponse.trust(TrustRecord()).json)
    }

    @Test("a list is named after what it lists")
    func lists() {
        #expect(AdminResponse.plans(PlanRecords()).json.text == #"{"plans":[]}"#)
        #expect(AdminResponse.agents(AgentRecords()).json.text == #"{"agents":[]}"#)
        #expect(AdminResponse.rounds(RoundRecords()).json.text == #"{"rounds":[]}"#)
        #expect(AdminResponse.models(ModelRecords()).json.text == #"{"models":[]}"#)
    }

    @Test("a model's reference is part of it, digests are hexadecimal")
    func model() {
        let record = ModelRecord(
            model: ModelRef(
                plan: "fashion", version: 2, modelDigest: [0, 255], modelSize: 9,
                signatureDigest: [16], signatureSize: 8),
            round: 2, accuracy: -1, createdUnix: 7, parentVersion: 1, hasParent: true)
        #expect(
            AdminResponse.model(record).json.text
                == #"{"plan":"fashion","version":2,"model_digest":"00ff","model_size":9,"#
                + #""signature_digest":"10","signature_size":8,"round":2,"accuracy":null,"#
                + #""created_unix":7,"parent_version":1,"distillation":null,"#
                + #""collected_unix":null}"#)
    }

    @Test("what does not apply is null, not a number that looks measured")
    func absent() {
        let plan = members(
            AdminResponse.plan(
                PlanRecord(modelVersion: 3, accuracyTeacher: -1, accuracyFirst: 0, epsilon: -1)
            ).json)
        #expect(plan["accuracy_teacher"] == .null)
        #expect(plan["accuracy_first"] == .decimal(0))
        #expect(plan["epsilon"] == .null)
        #expect(plan["model_version"] == .null)
        #expect(plan["text"] == nil)
    }

    @Test("a fault is one document with code, message and remedy")
    func fault() {
        #expect(
            Fault(.notFound, "no plan \"x\"", remedy: "look").json.text
                == #"{"error":{"code":"notFound","message":"no plan \"x\"","remedy":"look"}}"#)
    }

    @Test("a doctor's findings are healthy only when every check is")
    func doctor() {
        var findings = DoctorFindings()
        findings.add([("disk", true, "9 MiB free")])
        #expect(findings.isHealthy)
        findings.askCoordinator(directory: "/nonexistent")
        #expect(!findings.isHealthy)
        #expect(findings.tlsVersion == nil)
        #expect(
            findings.json.text.hasPrefix(
                #"{"ok":false,"tls_version":null,"checks":[{"check":"disk","ok":true,"#
                    + #""detail":"9 MiB free"},{"check":"connection","ok":false,"#))
        #expect(findings.text.hasPrefix("ok      disk        9 MiB free\nFAILED  connection  "))
    }
}
