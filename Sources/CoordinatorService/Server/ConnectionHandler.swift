import Configuration
import Cryptography
import Federation
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import Wire

/// One connection, from its handshake to its end: bytes to messages, one answer at a time, and a limit on how long each
/// step may take.
///
/// What a peer can make it hold is bounded: it reads on only while no message waits for its answer, and what an agent
/// sends or gets that is larger than a few KiB takes its place in the memory that all connections share before it is read
/// on or made, two connections of an agent at a time. The bytes of an update that is wanted are not among that: they go where
/// the update is put together, as they come. A peer without a certificate takes none of that: it says one short thing, soon,
/// and there are few of them.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// A frame up to this many bytes needs no share of the memory for large ones.
    private static let smallBytes = 8 << 10

    private enum Step: Equatable {
        case handshaking
        /// Nothing is under way; the peer may say something.
        case listening
        /// A message arrives, larger than what is free for it.
        case awaitingRoom
        /// An answer is being made, or waits for the memory it takes.
        case answering
        /// An answer leaves.
        case sending
        /// What was said last ends the connection.
        case closing
    }

    private let id: UInt64
    private let fleet: Fleet
    private let door: Door
    private let limits: CoordinatorLimits
    private let log: Logger

    private var context: ChannelHandlerContext?
    private var decoder = FrameDecoder(limit: WireLimits.strangerFrameBytes)
    private var turn = AnsweredTogether()
    private var step = Step.handshaking
    private var session: Session?
    private var isPerson = false
    /// An answer that is only waited for: it ends with the connection. What changes anything is carried through.
    private var wait: Task<Void, Never>?
    /// Whether it holds a share of the memory for large messages.
    private var hasShare = false
    private var isReadHeld = false
    /// The step at hand is too late then.
    private var deadline: NIODeadline?
    private var timer: Scheduled<Void>?
    private var timerDue = NIODeadline.distantFuture
    private var peer = "unknown"

    init(_ id: UInt64, fleet: Fleet, limits: CoordinatorLimits, door: Door, log: Logger) {
        self.id = id
        self.fleet = fleet
        self.limits = limits
        self.door = door
        self.log = log
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // Asked now: a closed connection no longer knows it.
        peer = context.channel.remoteAddress?.ipAddress ?? "unknown"
        allow(seconds: limits.handshakeSeconds)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer.take()?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        step = .closing
        // Nobody can hear the answer: a held check-in ends now.
        wait?.cancel()
        timer.take()?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // A peer that was cut off, or that leaves without a word: nothing is lost.
        case NIOSSLError.uncleanShutdown: break
        case NIOSSLError.handshakeFailed:
            door.handshakeEnded(well: false)
            log.info(
                "no TLS handshake",
                metadata: [
                    "peer": "\(peer)",
                    "why": "it speaks no TLS 1.3, or its certificate is not of this fleet",
                ])
        default: log.info("connection broke", metadata: ["peer": "\(peer)", "why": "\(error)"])
        }
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent { identify(name, context) }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Who it is

    private func identify(_ applicationProtocol: String?, _ context: ChannelHandlerContext) {
        guard step == .handshaking else { return }
        door.handshakeEnded(well: true)
        step = .listening
        do throws(Fault) {
            session = try session(speaking: applicationProtocol, context)
            allow(seconds: isStranger ? limits.handshakeSeconds : limits.stalledSeconds)
        } catch {
            refuse(error)
        }
    }

    private func session(
        speaking name: String?, _ context: ChannelHandlerContext
    ) throws(Fault) -> Session {
        guard name == applicationProtocol else {
            throw Fault(
                .invalid, "the client does not speak \(applicationProtocol)",
                remedy: "offer \(applicationProtocol) in ALPN, or update the older side")
        }
        let channel = context.channel
        let certificate: Certificate?
        do {
            certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate().map {
                try Certificate(der: $0.toDERBytes())
            }
        } catch {
            throw Fault(.unauthenticated, "the peer's certificate cannot be read: \(error)")
        }
        let session = try Session(
            fleet: fleet, certificate: certificate, isConnected: { channel.isActive })
        try letIn(session)
        return session
    }

    private func letIn(_ session: Session) throws(Fault) {
        if session.isStranger {
            guard door.isStranger(id) else {
                throw Fault(
                    .unavailable, "many devices enrol at this moment", remedy: "try again later")
            }
            return
        }
        decoder.limit = WireLimits.frameBytes
        if session.isPerson {
            isPerson = true
            door.isPerson(id)
        } else {
            guard door.isAgent(id) else {
                throw Fault(
                    .unavailable,
                    "the coordinator serves as many agents as it may, in all or from one address",
                    remedy: "try again later; its admin may raise connections or"
                        + " connections_per_address in [limits]")
            }
        }
    }

    private var isStranger: Bool { session?.isStranger ?? true }

    // MARK: Hearing

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard step != .closing else { return }
        let isFirst = decoder.isBetweenFrames
        let bytes = unwrapInboundIn(data)
        guard step == .listening else {
            return bytes.withUnsafeReadableBytes { decoder.append($0) }
        }
        let ended = bytes.withUnsafeReadableBytes { bytes in
            guard takesPieces else {
                decoder.append(bytes)
                return 0
            }
            return decoder.append(bytes, streamingTo: take)
        }
        if ended > 0 {
            allowNext()
        } else if isFirst, !isStranger {
            // However slowly it comes, it has come by then.
            allow(seconds: limits.stalledSeconds)
        }
        hearNext()
    }

    /// Whether an update is being sent, which then needs no share of the memory for large messages: it has its own place.
    private var takesPieces: Bool { session?.takesPieces ?? false }

    private func take(_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        guard let news = session?.take(bytes, at: offset) else { return }
        Task { await news() }
    }

    /// Takes the next message up, when one is there and none is being answered.
    private func hearNext() {
        guard step == .listening else { return }
        let messages: [Message]
        do throws(Fault) {
            if takesPieces, !turn.isAhead, decoder.stream(to: take) > 0 { allowNext() }
            messages = try turn.next(from: &decoder)
        } catch {
            return refuse(error)
        }
        guard let first = messages.first else { return awaitRest() }
        step = .answering
        deadline = nil
        guard let bytes = first.largestAnswer, !hasShare, !isStranger else {
            return answer(messages)
        }
        reserve(bytes) { $0.answer(messages) }
    }

    /// A large message is read on only when there is room for all of it.
    private func awaitRest() {
        // A chunk's first bytes: it goes where the update is put together once they are all there.
        if takesPieces, decoder.mayBeginChunk { return }
        guard let bytes = decoder.expected, bytes > Self.smallBytes, !hasShare, !isStranger else {
            return
        }
        step = .awaitingRoom
        deadline = nil
        reserve(bytes) { handler in
            handler.step = .listening
            handler.decoder.makeRoom()
            handler.allow(seconds: handler.limits.stalledSeconds)
            handler.hearNext()
        }
    }

    private func reserve(_ bytes: Int, then: @escaping (ConnectionHandler) -> Void) {
        guard let loop = context?.eventLoop, let owner = session?.owner else { return }
        let this = NIOLoopBound((self, then), eventLoop: loop)
        let isThere = door.reserve(id, of: owner, bytes: bytes) {
            loop.execute {
                let (handler, then) = this.value
                guard handler.step != .closing else { return }
                handler.hasShare = true
                then(handler)
                handler.readOn()
            }
        }
        guard isThere else { return }
        hasShare = true
        then(self)
    }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    private var mayRead: Bool {
        switch step {
        case .handshaking, .listening, .closing: true
        case .awaitingRoom: false
        // So that an end of the connection is noticed; no more than one message is read ahead.
        case .answering, .sending: decoder.bufferedCount < Self.smallBytes
        }
    }

    private func readOn() {
        guard isReadHeld, mayRead else { return }
        isReadHeld = false
        context?.read()
    }

    // MARK: Answering

    private func answer(_ messages: [Message]) {
        guard let loop = context?.eventLoop, let session else { return }
        let this = NIOLoopBound(self, eventLoop: loop)
        // An admin's command is not to wait behind thousands of check-ins.
        let work = Task(priority: isPerson ? .high : .medium) {
            var speaker = session
            var answers: [Message] = []
            for message in messages {
                if let answer = await speaker.answer(message) { answers.append(answer) }
            }
            let (all, after) = (answers, speaker)
            loop.execute { this.value.answered(all, by: after) }
        }
        if messages.contains(where: \.isPatient) { wait = work }
    }

    private func answered(_ answers: [Message], by session: Session) {
        wait = nil
        guard step == .answering else { return }
        self.session = session
        guard let last = answers.last else { return listen() }
        if session.isOver { sendLast(last) } else { send(answers) }
    }

    private func send(_ messages: [Message]) {
        guard let context else { return }
        step = .sending
        allow(seconds: limits.stalledSeconds)
        var buffer = ByteBuffer()
        do throws(Fault) {
            for message in messages { buffer.writeBytes(try frame(of: message)) }
            let promise = context.eventLoop.makePromise(of: Void.self)
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            promise.futureResult.whenSuccess { this.value.listen() }
            context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
        } catch { errorCaught(context: context, error: error) }
    }

    /// The peer waits for an answer: when that is too large to send, it gets the reason.
    private func frame(of message: Message) throws(Fault) -> [UInt8] {
        do throws(Fault) { return try message.encoded() } catch {
            return try Message.failure(Failure(error)).encoded()
        }
    }

    /// Everything is answered.
    private func listen() {
        guard step != .closing else { return }
        step = .listening
        if hasShare {
            hasShare = false
            door.release(id)
        }
        allowNext()
        hearNext()
        readOn()
    }

    /// A message may come after a long silence, but then soon; between two of them nothing is held.
    private func allowNext() {
        if hasShare, decoder.isBetweenFrames {
            hasShare = false
            door.release(id)
        }
        allow(seconds: decoder.isBetweenFrames ? limits.idleSeconds : limits.stalledSeconds)
    }

    /// Says why, and closes.
    private func refuse(_ fault: Fault) { sendLast(.failure(Failure(fault))) }

    /// Sends what the peer is to hear last, and closes.
    private func sendLast(_ message: Message) {
        guard let context, step != .closing else { return }
        step = .closing
        allow(seconds: limits.handshakeSeconds)
        var message = message
        if case .failure(var failure) = message {
            failure.closing = true
            message = .failure(failure)
        }
        let channel = context.channel
        guard let frame = try? frame(of: message) else { return channel.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(channel.allocator.buffer(bytes: frame)))
            .whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Time

    /// The step that begins now may take this long.
    private func allow(seconds: Int) {
        let due = NIODeadline.now() + .seconds(Int64(seconds))
        deadline = due
        // A timer that is due earlier looks again then; most steps end long before, and set none.
        guard timer == nil || timerDue > due else { return }
        setTimer(for: due)
    }

    private func setTimer(for due: NIODeadline) {
        guard let loop = context?.eventLoop else { return }
        timer?.cancel()
        timerDue = due
        let this = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(deadline: due) { this.value.timeHasCome() }
    }

    private func timeHasCome() {
        timer = nil
        // Without a deadline it is the coordinator that takes its time.
        guard let deadline else { return }
        guard NIODeadline.now() >= deadline else { return setTimer(for: deadline) }
        log.debug("a slow peer was cut off", metadata: ["peer": "\(peer)", "while": "\(step)"])
        context?.close(promise: nil)
    }
}
