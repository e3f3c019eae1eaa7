import Federation

// From the encoded update to the coordinator's verdict: probe, header, chunks, finish.

extension SessionMemory {
    /// Most bytes of an update in one message; the wire's limit on chunks.
    static let chunkBytes: UInt64 = 256 << 10
    /// A coordinator that asks for bytes again after this many ends is not going to be satisfied.
    static let mostRepeats = 3

    /// The update exists; without a connection it is submitted after the next.
    mutating func encoded(
        _ update: PendingUpdate, _ work: SessionState.Encoding, now: MonotonicInstant
    ) -> Transition {
        declines.reset()
        pending[update.plan] = update
        if let lost = work.lost { return disconnect(after: lost, now: now) }
        return probe(update, work.agenda)
    }

    func probe(_ update: PendingUpdate, _ agenda: Agenda) -> Transition {
        Transition(
            .submitting(.init(update: update, step: .probing, agenda: agenda)), .probe(update))
    }

    /// Acts on the answer to a probe, a header or a finish.
    mutating func answered(
        _ verdict: SubmitVerdict, _ work: SessionState.Submitting, now: MonotonicInstant
    ) -> Transition {
        var work = work
        switch (verdict, work.step) {
        case (_, .sending):
            return outOfOrder("answered", in: .submitting(work), now: now)
        case (.wanted, .probing):
            work.step = .heading
            return Transition(.submitting(work), .sendHeader(work.update))
        case (.wanted(let offset), .heading):
            return send(from: offset, work, now: now)
        case (.wanted(let offset), .finishing):
            work.repeats += 1
            return send(from: offset, work, now: now)
        case (.later(let seconds), _): return putOff(work, seconds: seconds, now: now)
        case (.accepted, _), (.duplicate, _):
            return proceed(work.agenda, now: now)
        case (.gone, _), (.rejected, _):
            return discard(work)
        }
    }

    /// The update stays on disk and is offered again after the pause; at 0 seconds the coordinator has no use for it as it is,
    /// but a later attempt at its round may: the check-in tells.
    ///
    /// Many are put off at once; half as much again keeps them from coming back together.
    private mutating func putOff(
        _ work: SessionState.Submitting, seconds: Double, now: MonotonicInstant
    ) -> Transition {
        let pause = max(seconds, timing.shortestPauseSeconds) * (1 + random.unitInterval() / 2)
        let connected = pause <= timing.longestConnectedPauseSeconds
        let again = seconds > 0 ? [SessionTask.submit(work.update)] : []
        return Transition(
            .waiting(connected: connected, then: again + work.agenda.tasks),
            .wait(until: now.advanced(bySeconds: pause), keepingConnection: connected))
    }

    /// Another network is another connection, so that one is made after the next pause.
    mutating func keptBack(
        _ work: SessionState.Submitting, now: MonotonicInstant
    ) -> Transition {
        isKeepingBack = true
        return proceed(work.agenda, now: now)
    }

    mutating func sent(
        _ work: SessionState.Submitting, now: MonotonicInstant
    ) -> Transition {
        guard case .sending(let offset, let count) = work.step else {
            return outOfOrder("sent", in: .submitting(work), now: now)
        }
        return send(from: offset + UInt64(count), work, now: now)
    }

    private mutating func send(
        from offset: UInt64, _ work: SessionState.Submitting, now: MonotonicInstant
    ) -> Transition {
        var work = work
        guard offset <= work.update.size, work.repeats <= SessionMemory.mostRepeats else {
            let fault = Fault(
                .unavailable,
                "the coordinator asks for byte \(offset) of an update of \(work.update.size) bytes")
            return disconnect(after: fault, now: now)
        }
        if offset == work.update.size {
            work.step = .finishing
            return Transition(.submitting(work), .finish(work.update))
        }
        let count = Int(min(SessionMemory.chunkBytes, work.update.size - offset))
        work.step = .sending(offset: offset, count: count)
        return Transition(
            .submitting(work), .sendChunk(work.update, offset: offset, count: count))
    }

    /// Nobody will ask for this update again.
    func discard(_ work: SessionState.Submitting) -> Transition {
        Transition(
            .performing(.init(task: .discard(work.update), agenda: work.agenda)),
            .discard(work.update))
    }
}
