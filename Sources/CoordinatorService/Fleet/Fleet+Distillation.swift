import Federation
import Learning
import Logging
import ModelFormats
import Registry

extension Fleet {
    /// Distils the weights a round released from the plan's teacher, on the coordinator's public data.
    ///
    /// What comes out follows from durable bytes alone, so it may be made again after a crash; and it is post-processing
    /// of what was released and charged for, so it is free.
    ///
    /// - Parameter digest: of the blob with the weights; it is the seed, too.
    /// - Returns: nil when the plan does not want it, or when it failed: the round is paid for, and is published without.
    func distilled(
        _ digest: Digest, of round: ActiveRound
    ) async -> PostRoundDistillation? {
        let plan = round.plan.plan
        guard plan.distillation.postRoundEpochs > 0 else { return nil }
        do throws(Fault) {
            let directory = try data(of: plan.id).publicDirectory
            let teacher = try await teacher(of: round.plan)
            let master = try await weights(digest, of: plan)
            let result = try await compute { () throws(Fault) in
                try postRound(
                    master, teacher: teacher, plan: plan, publicDirectory: directory,
                    seed: digest.seed)
            }
            log.info(
                "distilled after the round",
                metadata: [
                    "round": "\(round.at)", "plan": "\(plan.id)",
                    "accepted": "\(result.trial.isAccepted)",
                    "heldOutBefore": "\(result.trial.accuracyBefore)",
                    "heldOutAfter": "\(result.trial.accuracyAfter)",
                ])
            return result
        } catch {
            log.warning(
                "distillation after the round failed; the round's own weights are sealed",
                metadata: ["round": "\(round.at)", "plan": "\(plan.id)", "why": "\(error)"])
            return nil
        }
    }

    /// Makes `teacher` the one that rounds of `plan` go on with, now and after a restart.
    func keep(_ teacher: Teacher, of plan: Plan) async throws(Fault) {
        let digest = try await registry.putBlob(try TeacherFile.encode(teacher))
        try await keepTeacher(digest, of: plan.id)
        plans[plan.id]?.teacherDigest = digest
    }

    /// Makes the teacher in the blob with `digest` the one that rounds of `plan` go on with.
    func keepTeacher(_ digest: Digest, of plan: PlanID) async throws(Fault) {
        try await registry.setTeacher(
            plan, digest: digest, nowUnix: clock.unixSeconds,
            event: FleetEvent(
                .teacherKept, [("plan", .text(plan.name)), ("digest", .text(digest.hex))]))
    }

    /// The teacher of the first student, or where there is none, or none that can be read, a new one.
    private func teacher(of runtime: PlanRuntime) async throws(Fault) -> Teacher {
        let plan = runtime.plan
        if let digest = plans[plan.id]?.teacherDigest {
            do throws(Fault) {
                return try TeacherFile.decode(try await registry.blob(digest), plan: plan)
            } catch {
                log.warning(
                    "the teacher that was kept cannot be used; another is trained",
                    metadata: ["plan": "\(plan.id)", "why": "\(error)"])
            }
        }
        let directory = try data(of: plan.id).publicDirectory
        // Of the text, so that a crash and another try end with the same teacher.
        let seed = runtime.digest.seed
        let teacher = try await compute { () throws(Fault) in
            var examples = try PublicExamples(directory: directory, plan: plan)
            var random = SeededRandom(seed: seed)
            return try Teacher.trained(
                plan: plan, on: &examples.training, random: &random, progress: { _ in true })
        }
        try await keep(teacher, of: plan)
        return teacher
    }
}

private func postRound(
    _ master: [Float], teacher: Teacher, plan: Plan, publicDirectory: String, seed: UInt64
) throws(Fault) -> PostRoundDistillation {
    var examples = try PublicExamples(directory: publicDirectory, plan: plan)
    guard var heldOut = examples.heldOut else {
        throw Fault(.internal, "plan \(plan.id) holds nothing out")
    }
    var random = SeededRandom(seed: seed)
    return try PostRoundDistillation(
        of: master, teacher: teacher, plan: plan, on: &examples.training, heldOut: &heldOut,
        random: &random)
}

extension Digest {
    /// The first eight bytes as a number.
    fileprivate var seed: UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
