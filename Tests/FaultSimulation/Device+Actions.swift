import AgentService
import AgentSession
import Cryptography
import Federation
import Wire

// What the machine wants, done.

extension Device {
    func perform(_ action: AgentAction) {
        switch action {
        case .wait(let until, let keepingConnection):
            if !keepingConnection { close() }
            later(until.seconds(since: world.now)) { [self] in
                feed { $0.waited(now: world.now) }
            }
        case .connect:
            connect { [self] isOpen in
                guard isOpen else {
                    return setBack(.connection(Fault(.unavailable, "cannot connect")))
                }
                feed { $0.connected(now: world.now) }
            }
        case .checkIn(let waitSeconds): checkIn(waitSeconds: waitSeconds)
        case .obtain(let blob): obtain(blob)
        case .adoptPlan(let standing): adopt(standing)
        case .adoptModel(let model): adopt(model)
        case .prepare(let assignment): prepare(assignment)
        case .train(let assignment): train(assignment)
        case .encode(let assignment): encode(assignment)
        case .readdress, .discard: keep(action)
        case .probe, .sendHeader, .finish: submit(action)
        case .sendChunk(let update, let offset, let count):
            sendChunk(of: update, offset: offset, count: count)
        case .decline(let assignment, let reason): decline(assignment, reason: reason)
        case .reportRefusal, .renewCertificate, .updateTrustSet:
            world.violate("\(name) wants something that nothing here gives cause for: \(action)")
        }
    }

    // MARK: Checking in

    private func checkIn(waitSeconds: UInt32) {
        let readiness = plans.map { plan in
            PlanReadiness(
                plan: plan.name, planDigest: disk.plans[plan]?.bytes ?? [],
                examples: disk.plans[plan] == nil ? 0 : member.examples,
                hasModel: disk.models[plan] != nil, modelVersion: disk.models[plan] ?? 0)
        }
        let request = CheckInRequest(
            agentVersion: "simulated", cpuFeatures: "none", memoryKib: 1024, plans: readiness,
            logCheckpoint: disk.checkpoint, trustSetVersion: 1, waitSeconds: waitSeconds)
        ask(.checkInRequest(request), waitSeconds: Double(waitSeconds)) { [self] message in
            guard case .checkInResponse(let response) = message else { return unexpected(message) }
            do throws(Fault) {
                let answer = try CheckInAnswer(response)
                hasCheckedIn()
                auditor.sawCheckpoint(
                    response.logCheckpoint, after: disk.checkpoint, by: name)
                guard write({ disk.checkpoint = response.logCheckpoint }),
                    mark(answer.next, waited: waitSeconds > 0)
                else { return }
                feed { $0.checkedIn(answer, now: world.now) }
            } catch {
                world.violate("\(name) cannot understand a check-in's answer: \(error)")
            }
        }
    }

    /// Notes the assignment at hand, as the agent does; false when the process was killed meanwhile.
    private func mark(_ next: CheckInAnswer.Next, waited: Bool) -> Bool {
        switch next {
        case .work(let assignment): write { disk.marker = assignment }
        case .comeBack: waited ? write { disk.marker = nil } : true
        }
    }

    private func obtain(_ blob: BlobReference) {
        if disk.blobs[blob.digest] != nil { return feed { $0.obtained(now: world.now) } }
        let offset = UInt64(disk.pieces[blob.digest]?.count ?? 0)
        ask(.blobRequest(BlobRequest(digest: blob.digest.bytes, offset: offset))) {
            [self] message in
            guard case .blobChunk(let chunk) = message, chunk.offset == offset else {
                return unexpected(message)
            }
            // A small device takes small pieces, so that a fetch can be cut in many places.
            let piece = chunk.data.prefix(3000)
            guard write({ disk.pieces[blob.digest, default: []] += piece }) else { return }
            let bytes = disk.pieces[blob.digest] ?? []
            guard UInt64(bytes.count) == chunk.totalSize else { return obtain(blob) }
            disk.pieces[blob.digest] = nil
            guard SHA256.digest(of: bytes) == blob.digest else {
                return world.violate("a blob is not what its digest says")
            }
            disk.blobs[blob.digest] = bytes
            feed { $0.obtained(now: world.now) }
        }
    }

    private func adopt(_ standing: PlanStanding) {
        let isNew = disk.plans[standing.plan] == nil
        guard write({ disk.plans[standing.plan] = standing.text.digest }) else { return }
        feed { $0.planAdopted(readinessChanged: isNew, now: world.now) }
    }

    private func adopt(_ model: ModelReference) {
        if let held = disk.models[model.plan], held > model.version {
            world.violate("\(name) holds \(model.plan) \(held) and was given \(model.version)")
        }
        guard write({ disk.models[model.plan] = model.version }) else { return }
        // Only what is named now is kept.
        feed { $0.done(now: world.now) }
    }

    // MARK: A round

    private func prepare(_ assignment: RoundAssignment) {
        world.note("\(name) is assigned \(assignment.plan) \(assignment.at)")
        if world.happens(network.hazards.decline) {
            return setBack(.local(Fault(.unavailable, "the device is busy")))
        }
        feed { $0.done(now: world.now) }
    }

    private func train(_ assignment: RoundAssignment) {
        let steps = world.draw(3...6)
        let seconds = world.draw(from: 0.2, to: 14) / Double(steps)
        later(seconds) { [self] in trained(1, of: steps, seconds: seconds, assignment) }
    }

    private func trained(
        _ step: Int, of steps: Int, seconds: Double, _ assignment: RoundAssignment
    ) {
        let progress = Double(step) / Double(steps)
        obey(machine.trainingProgressed(progress, now: world.now), progress, assignment) {
            [self] in
            guard step < steps else { return feed { $0.trained(now: world.now) } }
            later(seconds) { [self] in
                trained(step + 1, of: steps, seconds: seconds, assignment)
            }
        }
    }

    /// Does what the machine wants during training, and goes on if it says so.
    private func obey(
        _ step: TrainingStep, _ progress: Double, _ assignment: RoundAssignment,
        carryOn: @escaping () -> Void
    ) {
        switch step {
        case .carryOn: carryOn()
        case .stop:
            guard write({ disk.marker = nil }) else { return }
            feed { $0.trainingStopped(now: world.now) }
        case .reconnect:
            connect { [self] isOpen in
                let next =
                    isOpen
                    ? machine.reconnected(progress: progress, now: world.now)
                    : machine.reconnectFailed(
                        Fault(.unavailable, "cannot connect"), now: world.now)
                obey(next, progress, assignment, carryOn: carryOn)
            }
        case .heartbeat(let progress):
            heartbeat(progress, assignment) { [self] in
                obey($0, progress, assignment, carryOn: carryOn)
            }
        }
    }

    private func heartbeat(
        _ progress: Double, _ assignment: RoundAssignment,
        _ next: @escaping (TrainingStep) -> Void
    ) {
        let beat = Heartbeat(
            round: assignment.at.round.number, attempt: assignment.at.attempt,
            submitToken: assignment.submitToken, progress: Float(progress))
        func lost(_ fault: Fault) {
            close()
            next(machine.heartbeatFailed(fault, connectionLost: true, now: world.now))
        }
        exchange(.heartbeat(beat), lost: lost) { [self] message in
            switch message {
            case .heartbeatAck(let ack):
                next(
                    machine.heartbeatAnswered(
                        wanted: ack.wanted, leaseSeconds: Double(ack.leaseSeconds),
                        now: world.now))
            case .failure(let failure) where failure.closing: lost(Fault(failure))
            case .failure(let failure):
                next(
                    machine.heartbeatFailed(
                        Fault(failure), connectionLost: false, now: world.now))
            default: unexpected(message)
            }
        }
    }
}
