import Federation
package import Wire

// The answers as a person reads them.

extension AdminResponse {
    /// The answer as text with a final newline, without colours.
    ///
    /// - Parameter width: columns of the terminal, nil when the text goes elsewhere.
    package func text(width: Int?) -> String { text(on: Screen(width: width)) }

    /// The answer as text with a final newline.
    package func text(on screen: Screen) -> String {
        switch self {
        case .plan(let record): record.facts
        case .plans(let records): planTable(records.items, on: screen)
        case .token(let token): token.token + "\n"
        case .agent(let record): record.facts(on: screen)
        case .agents(let records): agentTable(records.items, on: screen)
        case .job(let record): record.facts
        case .round(let record): record.facts(on: screen)
        case .rounds(let records): roundTable(records.items, on: screen)
        case .model(let record): record.facts(on: screen)
        case .models(let records): modelTable(records.items, on: screen)
        case .doctor(let report): doctorText(report.items)
        case .ledger(let record): record.text(on: screen)
        case .log(let entries): entries.text(on: screen)
        case .logProof(let record): String(decoding: record.proof, as: UTF8.self)
        case .checkpoint(let record): String(decoding: record.note, as: UTF8.self)
        case .trust(let record): String(decoding: record.document, as: UTF8.self) + "\n"
        case .jobs(let records): jobTable(records.items, on: screen)
        case .status(let record): record.text(on: screen)
        }
    }
}

private func planTable(_ plans: [PlanRecord], on screen: Screen) -> String {
    var table = Table([
        ("PLAN", .left), ("STATE", .state), ("MODEL", .right), ("ACCURACY", .right),
        ("EPSILON", .right), ("TITLE", .left),
    ])
    for plan in plans {
        table.add([
            plan.plan, plan.pausedUnix > 0 ? "paused" : plan.state,
            plan.hasModel ? String(plan.modelVersion) : "-",
            fraction(plan.accuracyLast), privacyLoss(plan.epsilon), plan.title,
        ])
    }
    return plans.isEmpty ? "no plans\n" : table.text(on: screen)
}

extension PlanRecord {
    var facts: String {
        var pairs = [
            ("plan", plan), ("title", title), ("digest", hexadecimal(digest)),
            ("applied", date(appliedUnix)),
            ("state", detail.isEmpty ? state : "\(state): \(detail)"),
            ("parameters", String(parameters)), ("population", population),
            ("model version", hasModel ? String(modelVersion) : "-"),
            ("accuracy", accuracies),
        ]
        if epsilon >= 0 {
            pairs.append(("epsilon", "\(privacyLoss(epsilon)) at delta \(delta)"))
            pairs.append(("noise multiplier", noiseMultiplier.description))
            pairs += bothEnds
        } else {
            pairs.append(("privacy", "none"))
        }
        pairs.append(("clipping norm", decimal(clippingNorm, places: 4)))
        return keyValues(pairs + workFacts)
    }

    /// Against whom an agent is protected, and how well.
    private var bothEnds: [(String, String)] {
        guard localNoiseMultiplier > 0 else {
            return [("against the curator", "nothing: updates arrive without noise of their own")]
        }
        return [
            (
                "against the curator",
                "epsilon \(privacyLoss(localEpsilon)) for an agent that was in every round,"
                    + " local noise multiplier \(localNoiseMultiplier)"
            )
        ]
    }

    private var accuracies: String {
        "teacher \(fraction(accuracyTeacher)), first \(fraction(accuracyFirst)),"
            + " last \(fraction(accuracyLast))"
    }
}

private func agentTable(_ agents: [AgentRecord], on screen: Screen) -> String {
    var table = Table([
        ("AGENT", .left), ("STATE", .state), ("LAST SEEN", .left), ("VERSION", .left),
        ("MEMORY", .right), ("PLANS", .left),
    ])
    for agent in agents {
        table.add([
            agent.agent, agent.state, date(agent.lastSeenUnix), agent.version, agent.memory,
            agent.plans.map(\.brief).joined(separator: ", "),
        ])
    }
    return agents.isEmpty ? "no agents\n" : table.text(on: screen)
}

extension AgentRecord {
    func facts(on screen: Screen) -> String {
        let facts = keyValues([
            ("agent", agent),
            ("state", revokedReason.isEmpty ? state : "\(state): \(revokedReason)"),
            ("enrolled", date(enrolledUnix)), ("last seen", date(lastSeenUnix)),
            ("certificate until", date(certificateExpiresUnix)), ("version", version),
            ("processor", cpuFeatures), ("memory", memory),
            ("trust set", trustSetVersion > 0 ? "version \(trustSetVersion)" : "-"),
            ("last refused", refusal.isEmpty ? "-" : refusal),
            ("takes work", unavailable.isEmpty ? "yes" : "not now: \(unavailable)"),
        ])
        guard !plans.isEmpty else { return facts }
        var table = Table([
            ("PLAN", .left), ("EXAMPLES", .right), ("UNREADABLE", .right), ("MODEL", .right),
        ])
        for plan in plans {
            table.add([
                plan.plan, plan.isCounted ? String(plan.examples) : "some",
                plan.withheld ? "withheld" : String(plan.unreadable),
                plan.hasModel ? String(plan.modelVersion) : "-",
            ])
        }
        return facts + "\n" + table.text(on: screen)
    }

    fileprivate var memory: String {
        byteCount(memoryKib.multipliedReportingOverflow(by: 1024).partialValue)
    }
}

extension AgentPlanRecord {
    /// Whether `examples` is how many there are: of a private plan only none can be told.
    fileprivate var isCounted: Bool { !withheld || examples == 0 }

    /// Its name, and how many examples the device has for it, where that is told.
    fileprivate var brief: String {
        isCounted ? "\(plan) (\(counted(examples, "example")))" : plan
    }
}

func roundTable(_ rounds: [RoundRecord], on screen: Screen) -> String {
    var table = Table([
        ("ROUND", .right), ("PLAN", .left), ("PHASE", .state), ("REPORTS", .right),
        ("MODEL", .right), ("ACCURACY", .right), ("EPSILON", .right), ("CLIP", .right),
        ("TIME", .right), ("REASON", .left),
    ])
    for round in rounds {
        table.add([
            String(round.round), round.plan, round.phase, round.reports,
            round.published ? String(round.modelVersion) : "-", fraction(round.accuracy),
            round.spent, round.clip, duration(round.seconds), round.reason,
        ])
    }
    return rounds.isEmpty ? "no rounds\n" : table.text(on: screen)
}

extension RoundRecord {
    /// Updates counted and agents selected.
    var reports: String { withheld ? "-" : "\(reported)/\(selected)" }
    /// What its population had spent after it; a dash until it is charged.
    var spent: String { isCharged ? privacyLoss(epsilon) : "-" }
    /// Where an adaptive clipping norm stood.
    var clip: String { clippingNorm > 0 ? decimal(clippingNorm, places: 4) : "-" }

    func facts(on screen: Screen) -> String {
        let facts = keyValues([
            ("round", "\(round), attempt \(attempt)"), ("plan", plan),
            ("phase", reason.isEmpty ? phase : "\(phase): \(reason)"),
            ("reports", withheld ? "withheld" : "\(reported) of \(selected) selected"),
            ("model version", published ? String(modelVersion) : "none, from \(modelVersion)"),
            ("accuracy", fraction(accuracy)), ("distilled", distillation.text),
            ("epsilon so far", spent), ("clipping norm", clip),
            ("received", withheld ? "withheld" : byteCount(bytesIn)),
            ("sent", withheld ? "withheld" : byteCount(bytesOut)),
            ("started", date(startedUnix)), ("time", duration(seconds)),
        ])
        guard let first = history.first?.unixMilliseconds else { return facts }
        var table = Table([("PHASE", .state), ("AFTER", .right)])
        for step in history {
            let after = Double(step.unixMilliseconds) - Double(first)
            table.add([step.phase, duration(after / 1000)])
        }
        return facts + "\n" + table.text(on: screen)
    }
}

extension DistillationRecord? {
    /// What distillation after a round came to: `.8140 to .8320 held out, kept`.
    var text: String {
        guard let record = self else { return "-" }
        return "\(fraction(record.accuracyBefore)) to \(fraction(record.accuracyAfter)) held out,"
            + " \(record.accepted ? "kept" : "dropped")"
    }
}

extension JobRecord {
    /// One line that says where the job stands.
    var facts: String {
        "job \(job) of \(plan): \(roundsDone) of \(counted(roundsWanted, "round")), \(standing)\n"
    }

    /// Its state, and why; "cancelled by ..." says both.
    package var standing: String {
        detail.isEmpty ? state : detail.hasPrefix(state) ? detail : "\(state): \(detail)"
    }
}

private func modelTable(_ models: [ModelRecord], on screen: Screen) -> String {
    var table = Table([
        ("VERSION", .right), ("ROUND", .right), ("PARENT", .right), ("ACCURACY", .right),
        ("SIZE", .right), ("CREATED", .left), ("SHA-256", .left),
    ])
    for record in models {
        let model = record.model ?? ModelRef()
        table.add([
            String(model.version), String(record.round),
            record.hasParent ? String(record.parentVersion) : "-", fraction(record.accuracy),
            record.collectedUnix > 0 ? "collected" : byteCount(model.modelSize),
            date(record.createdUnix), hexadecimal(model.modelDigest),
        ])
    }
    return models.isEmpty ? "no models\n" : table.text(on: screen)
}

extension ModelRecord {
    func facts(on screen: Screen) -> String {
        let reference = model ?? ModelRef()
        let origin = isRepublished ? "republished" : "distilled"
        let facts = keyValues([
            ("plan", reference.plan), ("version", String(reference.version)),
            ("round", round == 0 ? "none, \(origin)" : String(round)),
            ("parent", hasParent ? String(parentVersion) : "-"),
            ("accuracy", fraction(accuracy)), ("distilled after it", distillation.text),
            ("created", date(createdUnix)),
            ("weights", collectedUnix > 0 ? "collected, \(date(collectedUnix))" : "kept"),
            ("model.onnx", hexadecimal(reference.modelDigest)),
            ("signature", hexadecimal(reference.signatureDigest)),
        ])
        var table = Table([("FILE", .left), ("SIZE", .right), ("SHA-256", .left)])
        for file in files {
            table.add([file.name, byteCount(file.size), hexadecimal(file.digest)])
        }
        return files.isEmpty ? facts : facts + "\n" + table.text(on: screen)
    }
}

extension LedgerRecord {
    func text(on screen: Screen) -> String {
        var table = Table([
            ("PLAN", .left), ("ROUND", .right), ("ATTEMPT", .right), ("NOISE", .right),
            ("SAMPLING", .right), ("EPSILON", .right), ("CHARGED", .left),
        ])
        for charge in charges {
            table.add([
                charge.plan, String(charge.round), String(charge.attempt),
                charge.noiseMultiplier.description, charge.samplingRate.description,
                privacyLoss(charge.epsilonAfter), date(charge.chargedUnix),
            ])
        }
        return charges.isEmpty
            ? "population \(population) has spent nothing\n" : table.text(on: screen)
    }
}

/// A line a check: `ok` or `FAILED`, what, and what was found.
func doctorText(_ lines: [DoctorLine]) -> String {
    let width = lines.map(\.check.count).max() ?? 0
    return lines.map { line in
        let space = String(repeating: " ", count: width - line.check.count)
        let detail = printable(line.detail)
        return "\(line.ok ? "ok    " : "FAILED")  \(line.check)\(space)  \(detail)\n"
    }.joined()
}
