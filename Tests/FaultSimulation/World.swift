import Federation

/// One simulated world: its time, its chance and everything that waits to happen. All of it runs on the thread that calls
/// `run`, in an order that the seed decides, so that the same seed is the same world.
final class World: Sendable {
    /// What is to happen at a moment; those of one moment in the order they were asked for.
    private struct Event {
        let at: UInt64
        let order: UInt64
        let body: () -> Void

        func isBefore(_ other: Event) -> Bool { (at, order) < (other.at, other.order) }
    }

    nonisolated(unsafe) private var random: SeededRandom
    nonisolated(unsafe) private var nanoseconds: UInt64 = 1_000_000_000
    /// The wall clock, which people and leap seconds set, less the monotonic one; milliseconds.
    nonisolated(unsafe) private var wallMilliseconds: UInt64
    nonisolated(unsafe) private var events: [Event] = []
    nonisolated(unsafe) private var asked: UInt64 = 0
    nonisolated(unsafe) private var threads: [SimulatedThread] = []
    /// Grows with everything that happens, in a way that depends on all of it: equal runs have equal traces.
    nonisolated(unsafe) private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    /// What happened, in words; nil: nobody wants to read it.
    nonisolated(unsafe) var journal: ((String) -> Void)?
    /// The first things found wrong.
    nonisolated(unsafe) private(set) var violations: [String] = []

    init(seed: UInt64, unixMilliseconds: UInt64) {
        random = SeededRandom(seed: seed)
        wallMilliseconds = unixMilliseconds
    }

    // MARK: Chance

    func draw() -> UInt64 { random.next() }

    /// A whole number in `range`.
    func draw(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(random.next() % UInt64(range.count))
    }

    /// A number uniform between `low` and `high`.
    func draw(from low: Double, to high: Double) -> Double {
        low + (high - low) * Double(random.next() >> 11) * 0x1p-53
    }

    /// Whether something of this probability happens.
    func happens(_ probability: Double) -> Bool {
        probability > 0 && draw(from: 0, to: 1) < probability
    }

    // MARK: Time

    var now: MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }
    var seconds: Double { Double(nanoseconds) * 1e-9 }
    var unixMilliseconds: UInt64 { wallMilliseconds &+ nanoseconds / 1_000_000 }

    /// Somebody sets the wall clock.
    func setWallClock(by seconds: Double) {
        wallMilliseconds = UInt64(max(0, Double(wallMilliseconds) + seconds * 1000))
    }

    /// Has `body` called after `seconds`.
    func after(_ seconds: Double, _ body: @escaping () -> Void) {
        asked += 1
        push(
            Event(
                at: nanoseconds + UInt64(max(0, seconds) * 1e9), order: asked, body: body))
    }

    // MARK: Running

    /// A thread of a process, which from now on is run with the others.
    func thread() -> SimulatedThread {
        let thread = SimulatedThread()
        threads.append(thread)
        return thread
    }

    /// Forgets a thread of a process that has ended.
    func end(_ thread: SimulatedThread) { threads.removeAll { $0 === thread } }

    /// Nothing more happens; who was to act then is let go.
    func end() {
        events = []
        threads = []
    }

    /// Lets everything happen until `isOver` or nothing more can.
    ///
    /// - Returns: whether it was over.
    func run(until isOver: () -> Bool) -> Bool {
        while true {
            if isOver() || !violations.isEmpty { return true }
            if runJob() { continue }
            guard let event = pop() else { return false }
            nanoseconds = max(nanoseconds, event.at)
            event.body()
        }
    }

    /// Runs one of the jobs that are ready; false when none is.
    private func runJob() -> Bool {
        // A process that was killed ends at once, and the others never notice how.
        if let ending = threads.first(where: { $0.isEnding && $0.readyCount > 0 }) {
            ending.run(at: 0)
            return true
        }
        let ready = threads.reduce(0) { $0 + $1.readyCount }
        guard ready > 0 else { return false }
        var index = ready == 1 ? 0 : draw(0...ready - 1)
        for thread in threads {
            if index < thread.readyCount {
                thread.run(at: index)
                return true
            }
            index -= thread.readyCount
        }
        return false
    }

    // MARK: What is told

    /// Notes what happened, for the trace and whoever reads the journal.
    func note(_ what: @autoclosure () -> String) {
        let text = what()
        for byte in text.utf8 { trace = (trace ^ UInt64(byte)) &* 0x100_0000_01b3 }
        trace ^= nanoseconds
        journal?("\(Double(nanoseconds / 1_000_000) / 1000) \(text)")
    }

    /// Something is as it must never be.
    func violate(_ what: String) {
        journal?("VIOLATION \(what)")
        violations.append(what)
    }

    // MARK: The heap of events

    private func push(_ event: Event) {
        events.append(event)
        var child = events.count - 1
        while child > 0, events[child].isBefore(events[(child - 1) / 2]) {
            events.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func pop() -> Event? {
        guard let first = events.first else { return nil }
        let last = events.removeLast()
        guard !events.isEmpty else { return first }
        events[0] = last
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < events.count }
            guard let least = children.min(by: { events[$0].isBefore(events[$1]) }),
                events[least].isBefore(events[parent])
            else { return first }
            events.swapAt(parent, least)
            parent = least
        }
    }
}
