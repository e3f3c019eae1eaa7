import Federation
import Provenance

extension Site {
    /// The trust chain of a version, checked now.
    func verification(_ name: String, version: UInt64) async throws(Fault) -> Page {
        let report = try await verifications.check(plan: name, version: version, of: fleet)
        let passed = report.checks.count { $0.result == .passed }
        let (verdict, summary, tone): (String, String, Tone)
        switch report.verdict {
        case .verified:
            (verdict, summary, tone) = (
                "Verified.", "All \(passed) checks passed, from the signature to the log.", .good
            )
        case .notVerified:
            (verdict, summary, tone) = (
                "Not verified.", "Do not use this version; the failed links below say why.", .bad
            )
        case .couldNotCheck:
            (verdict, summary, tone) = (
                "Could not be checked.", report.obstacle?.description ?? "", .warn
            )
        }
        let position: Int64? =
            if case .integer(let position)? = report.about["position"] { position } else { nil }
        let view = VerificationView(
            verdict: verdict, summary: summary, tone: tone.rawValue,
            checks: report.checks.map(CheckRow.init), plan: name, version: version,
            modelHref: "/models/\(name)/\(version)", leafHref: position.map { "/log/\($0)" })
        return Page(
            title: "Trust chain of \(name), version \(version)", area: .models,
            template: .verification, content: view,
            crumbs: [
                PageLink(label: "Models", href: "/models"),
                PageLink(label: name, href: "/models/\(name)"),
                PageLink(label: "version \(version)", href: "/models/\(name)/\(version)"),
            ])
    }
}

private struct VerificationView {
    let verdict: String
    let summary: String
    let tone: String
    let checks: [CheckRow]
    let plan: String
    let version: UInt64
    let modelHref: String
    let leafHref: String?
}

/// A link of the chain.
private struct CheckRow {
    let name: String
    let what: String
    let detail: String
    let result: String
    let tone: String

    init(_ check: VerificationCheck) {
        name = check.name
        what = Self.meaning(of: check.name)
        detail = check.detail
        result = check.result.rawValue
        switch check.result {
        case .passed: tone = Tone.good.rawValue
        case .failed: tone = Tone.bad.rawValue
        case .skipped: tone = Tone.plain.rawValue
        }
    }

    /// What a check shows, for somebody who sees its name for the first time.
    private static func meaning(of name: String) -> String {
        switch name {
        case "signature": "A trusted key signed exactly this statement:"
        case "directory": "No file is missing or was added:"
        case "proof": "There is a proof for its place in the log:"
        case "checkpoint signature": "The log's own key signed the state of the log:"
        case "inclusion": "The signature is a leaf of that log:"
        case "leaf": "The leaf says the same as the signature:"
        case "signing key": "The key counted at that place in the log:"
        case "consistency", "consistency with the proof": "The log only ever grew:"
        case "log": "Every entry of the log is what its hashes say:"
        case "parent chain": "Every version before it was made from the one it names:"
        case "card": "The model card says what the log says:"
        case "bill of materials": "The bill of materials is this version's:"
        case "provenance": "The statement of how it was made is this version's:"
        case "log checkpoint": "The log that was read is signed, too:"
        case "budget": "The privacy charges add up, and none is missing:"
        case "provenance in the log": "What it says of its making is what the log says:"
        case let file where file.hasPrefix("file "): "The file is what was signed:"
        default: ""
        }
    }
}
