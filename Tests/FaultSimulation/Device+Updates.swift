import AgentService
import AgentSession
import Cryptography
import Federation
import UpdateCodec
import Wire

// Encoded updates: made once, kept until nobody asks for them, submitted.

extension Device {
    func encode(_ assignment: RoundAssignment) {
        var random = SeededRandom(seed: world.draw())
        let length = world.draw(from: 0, to: 0.06)
        let delta = (0..<assignment.lattice.parameters).map { _ in
            Float((Double(random.next() >> 40) * 0x1p-24 - 0.5) * length)
        }
        let encoded: EncodedUpdate
        do throws(Fault) {
            encoded = try UpdateCodec.encode(
                delta: delta, lattice: assignment.lattice, random: &random)
        } catch { return world.violate("\(name) cannot encode: \(error)") }
        let bytes = UpdateElements.int8(encoded.values).packed(on: assignment.lattice)
        let isPrivate = assignment.plan.name != Template.openPlan
        let update = PendingUpdate(
            plan: assignment.plan, at: assignment.at, baseVersion: assignment.base.version,
            latticeID: assignment.latticeID, submitToken: assignment.submitToken,
            examples: isPrivate ? 1 : member.examples, withinClip: true,
            size: UInt64(bytes.count), digest: SHA256.digest(of: bytes))
        auditor.made(bytes, examples: update.examples, by: name)
        guard write({ store(update, bytes) }), write({ disk.marker = nil }) else { return }
        feed { $0.encoded(update, now: world.now) }
    }

    private func store(_ update: PendingUpdate, _ bytes: [UInt8]) {
        disk.updates[update.plan] = DeviceDisk.KeptUpdate(update: update, bytes: bytes)
    }

    func keep(_ action: AgentAction) {
        let isWritten: Bool
        switch action {
        case .readdress(let update):
            guard let kept = disk.updates[update.plan] else {
                return world.violate("\(name) readdresses an update that it does not have")
            }
            isWritten = write { store(update, kept.bytes) } && write { disk.marker = nil }
        case .discard(let update):
            isWritten = write { disk.updates[update.plan] = nil }
        default: return
        }
        guard isWritten else { return }
        feed { $0.done(now: world.now) }
    }

    func submit(_ action: AgentAction) {
        let message: Message
        let about: PendingUpdate
        switch action {
        case .probe(let update): (about, message) = (update, .submitProbe(SubmitProbe(update)))
        case .sendHeader(let update):
            auditor.announces(update, by: name)
            (about, message) = (update, .submitHeader(SubmitHeader(update)))
        case .finish(let update):
            let finish = SubmitFinish(
                round: update.at.round.number, attempt: update.at.attempt)
            (about, message) = (update, .submitFinish(finish))
        default: return
        }
        ask(message) { [self] message in
            guard case .submitStatus(let status) = message else { return unexpected(message) }
            do throws(Fault) {
                let verdict = try SubmitVerdict(status)
                world.note("\(name) hears \(status.verdict) for \(about.plan) \(about.at)")
                auditor.answered(verdict, about, to: name)
                feed { $0.answered(verdict, now: world.now) }
            } catch {
                world.violate("\(name) cannot understand a verdict: \(error)")
            }
        }
    }

    func sendChunk(of update: PendingUpdate, offset: UInt64, count: Int) {
        guard let kept = disk.updates[update.plan], kept.update.digest == update.digest else {
            return world.violate("\(name) sends an update that it does not have")
        }
        // In a few pieces, so that an upload can be cut in many places.
        var start = Int(offset)
        let end = Int(offset) + count
        while start < end {
            let size = min(end - start, world.draw(10...80))
            connection?.send(
                .submitChunk(
                    SubmitChunk(
                        offset: UInt64(start), data: Array(kept.bytes[start..<start + size]))),
                from: .device)
            start += size
        }
        later(0.01) { [self] in feed { $0.sent(now: world.now) } }
    }

    func decline(_ assignment: RoundAssignment, reason: String) {
        let decline = Decline(
            round: assignment.at.round.number, attempt: assignment.at.attempt,
            submitToken: assignment.submitToken, reason: reason)
        ask(.decline(decline)) { [self] message in
            guard case .declineAck = message else { return unexpected(message) }
            guard write({ disk.marker = nil }) else { return }
            feed { $0.done(now: world.now) }
        }
    }
}
