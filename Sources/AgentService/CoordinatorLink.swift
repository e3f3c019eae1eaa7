import AgentSession
import Cryptography
import Federation
import Provenance
import TLSClient
import Telemetry
import Wire

/// What kept an action from succeeding, by what it cost.
enum Setback: Error {
    /// The connection: it could not be made, broke, or the peer broke the protocol.
    case connection(Fault)
    /// Only the request: the coordinator answered with a failure.
    case refusal(Fault)
    /// Something on this device.
    case local(Fault)
    /// The model at hand: it must not be used.
    case model(Fault)
}

/// The one connection of an agent, which may not be there; any trouble with it closes it.
struct CoordinatorLink: ~Copyable {
    /// For name look-up aside, everything up to the end of the handshake.
    private static let connectSeconds = 15.0
    /// How long the coordinator may take to answer, beyond any wait that was asked for.
    private static let answerSeconds = 30.0

    private let stop: StopSignal
    /// Ends waits for the network.
    private let interruption: Interruption
    private let notifier: SystemdNotifier
    private let clock = SystemClock()
    private var connection: FramedConnection<TLSConnection>?
    /// Whether the answer to a message that left early is still to come.
    private var owesAnswer = false

    init(stop: StopSignal, interruption: Interruption, notifier: SystemdNotifier) {
        self.stop = stop
        self.interruption = interruption
        self.notifier = notifier
    }

    /// Opens a connection in place of any other.
    mutating func open(_ enrolment: Enrolment) throws(Setback) {
        close()
        do throws(Fault) {
            let stream = try TLSConnection.connect(
                host: enrolment.coordinator.host, port: enrolment.coordinator.port,
                trust: .authorities(enrolment.trustSet.authorities),
                identity: (enrolment.certificate, enrolment.key),
                timeoutSeconds: CoordinatorLink.connectSeconds, interruption: interruption)
            connection = FramedConnection(stream)
        } catch { throw .connection(error) }
    }

    mutating func close() {
        connection = nil
        owesAnswer = false
    }

    /// Sends `message` and waits for the answer.
    mutating func exchange(_ message: Message) throws(Setback) -> Message {
        var isLean = true
        return try exchange(message, waitSeconds: 0, isLean: &isLean)
    }

    /// The same where the answer may take long.
    ///
    /// - Parameters:
    ///   - waitSeconds: how long the coordinator was asked to wait before it answers.
    ///   - isLean: whether memory was given back since the last work; if not, that is done when no answer comes at once.
    mutating func exchange(
        _ message: Message, waitSeconds: Double, isLean: inout Bool
    ) throws(Setback) -> Message {
        try send(message)
        return try answer(seconds: waitSeconds + CoordinatorLink.answerSeconds, isLean: &isLean)
    }

    /// Sends `message` and at once the one that follows when its answer is as hoped for: so both answers come after one round
    /// trip. `answerToNext` waits for the other; when something else is said instead, nobody hears it.
    mutating func exchange(_ message: Message, expecting next: Message) throws(Setback) -> Message {
        try send { (open) throws(Fault) in try open.send(message, next) }
        owesAnswer = true
        var isLean = true
        return try answer(seconds: CoordinatorLink.answerSeconds, isLean: &isLean)
    }

    /// The answer to `message`, which is sent unless it left with the one before it.
    mutating func answerToNext(_ message: Message) throws(Setback) -> Message {
        guard owesAnswer else { return try exchange(message) }
        owesAnswer = false
        var isLean = true
        return try answer(seconds: CoordinatorLink.answerSeconds, isLean: &isLean)
    }

    private mutating func answer(
        seconds: Double, isLean: inout Bool
    ) throws(Setback) -> Message {
        switch try receive(seconds: seconds, isLean: &isLean) {
        case .failure(let failure) where failure.closing:
            close()
            throw .connection(Fault(failure))
        case .failure(let failure): throw .refusal(Fault(failure))
        case let answer: return answer
        }
    }

    /// Sends `message`, to which there is no answer.
    mutating func send(_ message: Message) throws(Setback) {
        try send { (open) throws(Fault) in try open.send(message) }
    }

    private mutating func send(
        _ body: (inout FramedConnection<TLSConnection>) throws(Fault) -> Void
    ) throws(Setback) {
        var open = try taken()
        if owesAnswer { open.skipMessage() }
        owesAnswer = false
        do throws(Fault) { try body(&open) } catch {
            // These come before a byte is written: the message itself is at fault, not the connection.
            guard error.code == .exhausted || error.code == .invalid else {
                throw .connection(error)
            }
            connection = consume open
            throw .local(error)
        }
        connection = consume open
    }

    /// The connection breaks off after an answer that makes no sense here.
    mutating func unexpected() -> Setback {
        close()
        return .connection(
            Fault(
                .invalid, "the coordinator answered with a message that does not belong here",
                remedy: "update the older of agent and coordinator"))
    }

    /// Waits in slices, between which signs of life are given; no byte is lost between them.
    private mutating func receive(
        seconds: Double, isLean: inout Bool
    ) throws(Setback) -> Message {
        var open = try taken()
        let end = clock.now.advanced(bySeconds: seconds)
        while true {
            notifier.alive()
            let start = clock.now
            let longest =
                isLean ? notifier.longestWaitSeconds : Footprint.silenceSeconds
            let slice = min(longest, end.seconds(since: start))
            do throws(Fault) {
                let message = try open.receive(timeoutSeconds: slice)
                connection = consume open
                return message
            } catch {
                // A fault before the slice is over is no time-out. One at its very end may be either: then asking again
                // shows which.
                let early = clock.now.seconds(since: start) < slice
                guard !early, error.code == .unavailable else { throw .connection(error) }
                guard clock.now < end, !stop.isRequested else {
                    throw .connection(
                        Fault(
                            .unavailable, "the coordinator did not answer within \(Int(seconds)) s",
                            remedy: "check the network, and the coordinator's load"))
                }
                Footprint.shrink(unless: &isLean)
            }
        }
    }

    private mutating func taken() throws(Setback) -> FramedConnection<TLSConnection> {
        guard let open = connection.take() else {
            throw .connection(Fault(.unavailable, "there is no connection to the coordinator"))
        }
        return open
    }
}
