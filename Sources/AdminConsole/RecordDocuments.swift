package import Federation
package import Wire

// The answers as JSON. Keys are the field names of admin.proto, digests are hexadecimal, and what
// was not measured or does not apply is null.

extension AdminResponse {
    /// The answer as one document.
    package var json: JSONValue {
        switch self {
        case .plan(let record): record.json
        case .plans(let records): list("plans", records.items.map(\.json))
        case .token(let token): token.json
        case .agent(let record): record.json
        case .agents(let records): list("agents", records.items.map(\.json))
        case .job(let record): record.json
        case .round(let record): record.json
        case .rounds(let records): list("rounds", records.items.map(\.json))
        case .model(let record): record.json
        case .models(let records): list("models", records.items.map(\.json))
        case .doctor(let report): list("checks", report.items.map(\.json))
        case .ledger(let record): record.json
        case .log(let entries): entries.json
        case .logProof(let record): record.json
        case .checkpoint(let record): record.json
        case .trust(let record): record.json
        case .jobs(let records): list("jobs", records.items.map(\.json))
        case .status(let record): record.json
        }
    }
}

/// A list is the one member of its document.
private func list(_ name: String, _ items: [JSONValue]) -> JSONValue {
    .object([(name, .array(items))])
}

private func hex(_ bytes: [UInt8]) -> JSONValue { .string(hexadecimal(bytes)) }

extension Fault {
    /// `{"error":{"code","message","remedy"}}`.
    package var json: JSONValue {
        .object([
            (
                "error",
                .object([
                    ("code", .string(code.rawValue)), ("message", .string(message)),
                    ("remedy", .string(remedy)),
                ])
            )
        ])
    }
}

extension PlanRecord {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("plan", .string(plan)), ("digest", hex(digest)), ("title", .string(title)),
            ("state", .string(state)), ("detail", .string(detail)),
            ("progress", .decimal(progress)), ("revision", .number(revision)),
            ("parameters", .number(parameters)), ("has_model", .bool(hasModel)),
            ("model_version", hasModel ? .number(modelVersion) : .null),
            ("accuracy_teacher", .measured(accuracyTeacher)),
            ("accuracy_first", .measured(accuracyFirst)),
            ("accuracy_last", .measured(accuracyLast)), ("epsilon", .measured(epsilon)),
            ("population", .string(population)), ("applied_unix", .number(appliedUnix)),
            ("noise_multiplier", .decimal(noiseMultiplier)), ("delta", .decimal(delta)),
            ("clipping_norm", .decimal(clippingNorm)),
            ("local_noise_multiplier", .decimal(localNoiseMultiplier)),
            ("local_epsilon", localNoiseMultiplier > 0 ? .decimal(localEpsilon) : .null),
            ("paused_unix", pausedUnix > 0 ? .number(pausedUnix) : .null),
            ("paused_reason", .string(pausedReason)),
            ("every_seconds", everySeconds > 0 ? .decimal(everySeconds) : .null),
            ("ready_agents", readyAgents > 0 ? .number(UInt64(readyAgents)) : .null),
            ("agents_ready", .number(UInt64(agentsReady))),
            ("jobs_open", .number(UInt64(jobsOpen))), ("waits_for", .string(waitsFor)),
            ("next_round_seconds", .measured(nextRoundSeconds)),
        ]
        if !text.isEmpty {
            members.append(("text", .string(String(decoding: text, as: UTF8.self))))
        }
        return .object(members)
    }
}

extension TokenIssued {
    var json: JSONValue {
        .object([
            ("token", .string(token)), ("expires_unix", .number(expiresUnix)),
            ("uses", .number(UInt64(uses))),
        ])
    }
}

extension AgentRecord {
    var json: JSONValue {
        .object([
            ("agent", .string(agent)), ("state", .string(state)),
            ("enrolled_unix", .number(enrolledUnix)), ("last_seen_unix", .number(lastSeenUnix)),
            ("version", .string(version)), ("cpu_features", .string(cpuFeatures)),
            ("memory_kib", .number(memoryKib)),
            ("certificate_expires_unix", .number(certificateExpiresUnix)),
            ("revoked_reason", .string(revokedReason)), ("plans", .array(plans.map(\.json))),
            ("trust_set_version", trustSetVersion > 0 ? .number(trustSetVersion) : .null),
            ("refusal", .string(refusal)), ("unavailable", .string(unavailable)),
        ])
    }
}

extension AgentPlanRecord {
    var json: JSONValue {
        .object([
            ("plan", .string(plan)), ("examples", .number(examples)),
            ("unreadable", .number(unreadable)), ("has_model", .bool(hasModel)),
            ("model_version", hasModel ? .number(modelVersion) : .null),
            ("withheld", .bool(withheld)),
        ])
    }
}

extension RoundRecord {
    /// A count of a private round is not.
    private func told(_ count: UInt64) -> JSONValue { withheld ? .null : .number(count) }

    var json: JSONValue {
        .object([
            ("round", .number(round)), ("attempt", .number(UInt64(attempt))),
            ("plan", .string(plan)), ("phase", .string(phase)), ("reason", .string(reason)),
            ("started_unix", .number(startedUnix)), ("seconds", .decimal(seconds)),
            ("withheld", .bool(withheld)), ("selected", told(UInt64(selected))),
            ("reported", told(UInt64(reported))),
            ("model_version", .number(modelVersion)), ("published", .bool(published)),
            ("accuracy", .measured(accuracy)),
            ("epsilon", isCharged ? .measured(epsilon) : .null),
            ("clipping_norm", clippingNorm > 0 ? .decimal(clippingNorm) : .null),
            ("bytes_in", told(bytesIn)), ("bytes_out", told(bytesOut)),
            (
                "history",
                .array(
                    history.map {
                        .object([
                            ("phase", .string($0.phase)),
                            ("unix_milliseconds", .number($0.unixMilliseconds)),
                        ])
                    })
            ), ("distillation", distillation?.json ?? .null),
        ])
    }
}

extension DistillationRecord {
    var json: JSONValue {
        .object([
            ("accuracy_before", .decimal(accuracyBefore)),
            ("accuracy_after", .decimal(accuracyAfter)), ("accepted", .bool(accepted)),
        ])
    }
}

extension JobRecord {
    /// The job as one document.
    package var json: JSONValue {
        .object([
            ("job", .number(job)), ("plan", .string(plan)),
            ("rounds_wanted", .number(UInt64(roundsWanted))),
            ("rounds_done", .number(UInt64(roundsDone))), ("state", .string(state)),
            ("detail", .string(detail)), ("revision", .number(revision)),
            ("rounds", .array(rounds.map(\.json))),
            ("agents_waiting", .number(UInt64(agentsWaiting))), ("epsilon", .measured(epsilon)),
            ("delta", .decimal(delta)), ("noise_multiplier", .decimal(noiseMultiplier)),
            ("agents_for_epsilon_4", .number(UInt64(agentsForEpsilon4))),
            ("created_unix", .number(createdUnix)),
        ])
    }
}

extension ModelRecord {
    var json: JSONValue {
        let reference = model ?? ModelRef()
        var members: [(String, JSONValue)] = [
            ("plan", .string(reference.plan)), ("version", .number(reference.version)),
            ("model_digest", hex(reference.modelDigest)),
            ("model_size", .number(reference.modelSize)),
            ("signature_digest", hex(reference.signatureDigest)),
            ("signature_size", .number(reference.signatureSize)), ("round", .number(round)),
            ("accuracy", .measured(accuracy)), ("created_unix", .number(createdUnix)),
            ("parent_version", hasParent ? .number(parentVersion) : .null),
            ("distillation", distillation?.json ?? .null),
            ("collected_unix", collectedUnix > 0 ? .number(collectedUnix) : .null),
        ]
        if !files.isEmpty {
            members.append(("files", .array(files.map(\.json))))
            members.append(("public_key", .string(String(decoding: publicKey, as: UTF8.self))))
        }
        return .object(members)
    }
}

extension ModelFile {
    var json: JSONValue {
        .object([
            ("name", .string(name)), ("digest", hex(digest)), ("size", .number(size)),
        ])
    }
}

extension LedgerRecord {
    /// The ledger as one document.
    package var json: JSONValue {
        .object([
            ("plan", .string(plan)), ("population", .string(population)),
            ("noise_multiplier", .decimal(noiseMultiplier)),
            ("sampling_rate", .decimal(samplingRate)), ("delta", .decimal(delta)),
            ("max_epsilon", .measured(maxEpsilon)), ("total", .number(total)),
            ("charges", .array(charges.map(\.json))),
        ])
    }
}

extension ChargeRecord {
    var json: JSONValue {
        .object([
            ("plan", .string(plan)), ("round", .number(round)),
            ("attempt", .number(UInt64(attempt))),
            ("noise_multiplier", .decimal(noiseMultiplier)),
            ("sampling_rate", .decimal(samplingRate)), ("delta", .decimal(delta)),
            ("epsilon_after", .decimal(epsilonAfter)), ("charged_unix", .number(chargedUnix)),
        ])
    }
}

extension DoctorLine {
    var json: JSONValue {
        .object([("check", .string(check)), ("ok", .bool(ok)), ("detail", .string(detail))])
    }
}
