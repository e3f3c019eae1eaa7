import AgentSession
package import Configuration
import Cryptography
package import Federation

/// Everything that a device's owner may want to know of its agent: what the daemon last said of itself, what the device holds,
/// what it last sent and to whom, and the owner's own rules as they stand.
package struct StatusReport: Sendable {
    /// One JSON object.
    package let json: String
    /// The same for people.
    package let text: String

    /// - Parameter conditions: the owner's rules and pause on this device now.
    /// - Throws: `Fault.notFound` when the device is not enrolled, `Fault.storage`.
    package init(
        _ configuration: AgentConfiguration, conditions: WorkConditions
    ) throws(Fault) {
        let directory = StateDirectory(path: configuration.stateDirectory)
        let holdings = try Holdings(configuration)
        func contents(_ file: String) throws(Fault) -> String? {
            guard fileSize(file) != nil else { return nil }
            return String(decoding: try CredentialFile.read(file), as: UTF8.self)
        }
        let status = try contents(directory.statusFile)
        let summary = try contents(directory.summaryFile)
        let isRunning = StateLock.isHeld(directory)
        let rules = conditions.examine()
        json = object([
            ("running", isRunning ? "true" : "false"),
            ("status", status.map { $0.filter { !$0.isNewline } } ?? "null"),
            ("paused", conditions.pause?.json ?? "null"),
            ("holds", holdings.json),
            ("sent", array(holdings.plans.compactMap { $0.sent?.json })),
            ("conditions", array(rules.map(\.json))),
        ])
        text =
            "running      \(isRunning ? "yes" : "no")\n"
            + (summary ?? "state        no daemon has run yet; start tributary-agentd\n")
            + (conditions.pause.map { "paused       \($0.words)\n" } ?? "")
            + "\nholds\n" + holdings.text
            + "\nlast sent\n" + StatusReport.sentText(holdings)
            + "\nconditions\n" + rules.map(\.line).joined()
    }

    private static func sentText(_ holdings: Holdings) -> String {
        let lines = holdings.plans.compactMap { $0.sent?.text }
        return lines.isEmpty ? "  nothing yet\n" : lines.joined()
    }
}

/// A line below a heading: a name, and what there is to say of it in as many lines as it takes.
private func entry(_ name: String, _ lines: [String]) -> String {
    let margin = String(repeating: " ", count: 15)
    let first = "  " + name + String(repeating: " ", count: max(1, 13 - name.count))
    return lines.enumerated().map { ($0.offset == 0 ? first : margin) + $0.element + "\n" }.joined()
}

private func array(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

/// Four digits after the point are enough for people.
private func short(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }

extension Eligibility {
    fileprivate var line: String { entry(subject, [(holds ? "" : "NOT NOW: ") + detail]) }

    fileprivate var json: String {
        object([
            ("subject", jsonString(subject)), ("holds", holds ? "true" : "false"),
            ("detail", jsonString(detail)),
        ])
    }
}

extension OwnerPause {
    /// One JSON object.
    package var json: String {
        object([
            ("since_unix", "\(sinceUnix)"), ("until_unix", untilUnix.map { "\($0)" } ?? "null"),
            ("reason", jsonString(reason)),
        ])
    }
}

extension Holdings {
    fileprivate var text: String {
        let key = entry(
            "key", ["\(keyFile), certified until \(dateText(certificateExpiresUnix))"])
        guard !plans.isEmpty else { return key + "  no data: the configuration names none\n" }
        return key + plans.map(\.text).joined()
    }

    fileprivate var json: String {
        object([
            ("key", jsonString(keyFile)),
            ("certificate_valid_until_unix", "\(certificateExpiresUnix)"),
            ("plans", array(plans.map(\.json))),
        ])
    }
}

extension Holdings.OfPlan {
    private var waiting: String {
        guard pendingBytes > 0 else { return "none" }
        return byteCount(pendingBytes) + (made.map { " for round \($0.at)" } ?? "")
    }

    fileprivate var text: String {
        let count = examples.map { counted($0, "example") } ?? "not counted yet"
        let model = modelVersion.map { "version \($0), \(byteCount(modelBytes))" } ?? "none yet"
        return entry(
            plan.name,
            [
                "data: \(count) in \(dataDirectory); they never leave this device",
                "model: \(model)",
                "update waiting: " + waiting,
            ])
    }

    fileprivate var json: String {
        object([
            ("plan", jsonString(plan.name)), ("data_directory", jsonString(dataDirectory)),
            ("examples", examples.map { "\($0)" } ?? "null"),
            ("problem", problem.map(jsonString) ?? "null"),
            ("model_version", modelVersion.map { "\($0)" } ?? "null"),
            ("model_bytes", "\(modelBytes)"), ("pending_update_bytes", "\(pendingBytes)"),
        ])
    }
}

extension SentUpdate {
    fileprivate var text: String {
        let time = sentUnix.map { dateText(Int64(clamping: $0)) } ?? "-"
        return entry(
            plan.name,
            [
                "\(time) to \(coordinator): \(byteCount(bytes)) for round \(at), \(verdict)",
                protection.normWords, "noise: \(protection.noiseWords)",
                "\(counted(count, "update")), \(byteCount(totalBytes)) since it enrolled",
            ])
    }

    fileprivate var json: String {
        object([
            ("plan", jsonString(plan.name)), ("round", "\(at.round.number)"),
            ("attempt", "\(at.attempt)"), ("bytes", "\(bytes)"), ("norm", json(protection.norm)),
            ("clipping_norm", json(protection.clippingNorm)),
            ("clipped", protection.isClipped ? "true" : "false"),
            ("own_noise", json(protection.ownNoise)),
            ("added_noise_multiplier", protection.addedNoiseMultiplier.map(json) ?? "null"),
            ("target_epsilon", protection.targetEpsilon.map(json) ?? "null"),
            ("sent_unix", sentUnix.map { "\($0)" } ?? "null"),
            ("coordinator", jsonString(coordinator)), ("verdict", jsonString(verdict)),
            ("updates", "\(count)"), ("total_bytes", "\(totalBytes)"),
        ])
    }

    /// JSON has no word for what is not finite.
    private func json(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
}

extension SentUpdate.Protection {
    /// Whether the change was scaled down to the clipping norm.
    package var isClipped: Bool { norm > clippingNorm }

    fileprivate var normWords: String {
        isClipped
            ? "the change had the norm \(short(norm)) and was scaled down to \(short(clippingNorm))"
            : "the change had the norm \(short(norm)), within the limit of \(short(clippingNorm))"
    }

    fileprivate var noiseWords: String {
        let own =
            ownNoise > 0
            ? "this device added \(short(ownNoise)) to each value (standard deviation)"
            : "this device added none"
        guard let multiplier = addedNoiseMultiplier else {
            return own + "; the coordinator adds none, so this plan promises no privacy"
        }
        let added =
            multiplier.isFinite
            ? "\(short(multiplier * clippingNorm))"
            : "as much as its privacy budget asks"
                + (targetEpsilon.map { " (epsilon \(short($0)))" } ?? "")
        return own + "; the coordinator adds \(added) to each value of a round's sum"
    }
}
