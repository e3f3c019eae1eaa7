import Federation
import Wire

// How answers that come in pages are put together.

extension AdminRequest {
    /// What to ask after `answer`, which holds all pages so far; nil when it is complete, or is no list.
    func next(after answer: AdminResponse) -> AdminRequest? {
        switch (self, answer) {
        case (.agentList(var list), .agents(let records)) where records.more:
            guard let last = records.items.last else { return nil }
            list.after = last.agent
            return .agentList(list)
        case (.roundList(var list), .rounds(let records)) where records.more:
            guard let last = records.items.last else { return nil }
            list.after = last.round
            return .roundList(list)
        case (.modelList(var list), .models(let records)) where records.more:
            guard let last = records.items.last?.model else { return nil }
            list.first = last.version + 1
            return .modelList(list)
        case (.jobList(var list), .jobs(let records)) where records.more:
            guard let last = records.items.last else { return nil }
            list.after = last.job
            return .jobList(list)
        default: return nil
        }
    }
}

extension AdminResponse {
    /// This answer with its next page.
    ///
    /// - Throws: `invalid` when `page` is none of the same list, or goes back, so that no list is without end.
    func joined(with page: AdminResponse) throws(Fault) -> AdminResponse {
        switch (self, page) {
        case (.agents(let head), .agents(let tail)) where goesOn(head.items, tail.items, \.agent):
            .agents(AgentRecords(items: head.items + tail.items, more: tail.more))
        case (.rounds(let head), .rounds(let tail)) where goesOn(head.items, tail.items, \.round):
            .rounds(RoundRecords(items: head.items + tail.items, more: tail.more))
        case (.models(let head), .models(let tail))
        where goesOn(head.items, tail.items, { $0.model?.version ?? 0 }):
            .models(ModelRecords(items: head.items + tail.items, more: tail.more))
        case (.jobs(let head), .jobs(let tail)) where goesOn(head.items, tail.items, \.job):
            .jobs(JobSummaries(items: head.items + tail.items, more: tail.more))
        default: throw unexpectedAnswer()
        }
    }
}

/// Whether `tail` begins after the end of `head`.
private func goesOn<Item, Key: Comparable>(
    _ head: [Item], _ tail: [Item], _ key: (Item) -> Key
) -> Bool {
    guard let last = head.last, let first = tail.first else { return tail.isEmpty }
    return key(last) < key(first)
}

extension JobRecord {
    /// Whether it has yet to end.
    package var isOpen: Bool { state == "running" || state == "queued" }

    /// The newest of its rounds that has ended, of those listed; 0: none.
    var lastEndedRound: UInt64 {
        rounds.last { $0.phase == "published" || $0.phase == "abandoned" }?.round ?? 0
    }

    /// This newer record of the same job, with the ended rounds that `earlier` lists before its own.
    func following(_ earlier: JobRecord) -> JobRecord {
        var whole = self
        let ended = earlier.lastEndedRound
        whole.rounds =
            earlier.rounds.filter { $0.round <= ended } + rounds.filter { $0.round > ended }
        return whole
    }
}
