import Cryptography
import Federation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import UpdateCodec
import Wire

/// Devices that all have their update ready, so that a coordinator that takes updates in has nothing else to do.
///
/// What a device says is encoded before it is asked to; as many as `window` submit at a time.
final class Uploaders: Sendable {
    static let window = 128

    private struct State {
        var uploaders: [NIOLoopBound<Uploader>] = []
        var waiting: [NIOLoopBound<Uploader>] = []
        var accepted = 0
        var notes: [String: Int] = [:]
        var update: Update?
    }

    /// What every device submits, and the frames that carry it.
    struct Update: Sendable {
        let size: Int
        let digest: Digest
        let frames: ByteBuffer
    }

    let plan: String
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())

    init(plan: String) { self.plan = plan }

    // MARK: Connecting

    /// Connects a device for each identity, a bounded number a second.
    func connect(
        _ identities: [KeptIdentity], authorities: [NIOSSLCertificate], to address: NetworkAddress
    ) async throws {
        let loop = group.next()
        let start = ContinuousClock.now
        for (index, identity) in identities.enumerated() {
            let rate = Double(CoordinatorProcess.handshakesPerSecond)
            let due = start + .seconds(Double(index) / rate)
            if due > .now { try await Task.sleep(until: due, clock: .continuous) }
            let context = try identity.context(authorities)
            _ = try await ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        let uploader = Uploader(of: self)
                        let bound = NIOLoopBound(uploader, eventLoop: channel.eventLoop)
                        state.withLock { $0.uploaders.append(bound) }
                        try channel.pipeline.syncOperations.addHandlers([
                            try NIOSSLClientHandler(context: context, serverHostname: nil),
                            uploader,
                        ])
                    }
                }
                .connect(host: address.host, port: Int(address.port)).get()
        }
    }

    func disperse() async throws { try await group.shutdownGracefully() }

    // MARK: Counting

    /// Devices that have an assignment and have not been asked to submit.
    var waiting: Int { state.withLock { $0.waiting.count } }
    /// Updates that were accepted since `begin`.
    var accepted: Int { state.withLock { $0.accepted } }
    /// Of one update, once a device has work.
    var updateBytes: Int { state.withLock { $0.update?.size ?? 0 } }
    /// What went wrong, and how often.
    var notes: [String: Int] { state.withLock { $0.notes } }

    func note(_ what: String) { state.withLock { $0.notes[what, default: 0] += 1 } }

    // MARK: Rounds

    /// Every device asks for work.
    func checkIn() {
        for uploader in state.withLock({ $0.uploaders }) {
            group.next().execute { uploader.value.checkIn() }
        }
    }

    func isReady(_ uploader: Uploader, on loop: any EventLoop) {
        state.withLock { $0.waiting.append(NIOLoopBound(uploader, eventLoop: loop)) }
    }

    /// The first devices submit; each that is done lets another begin.
    func begin() {
        state.withLock { $0.accepted = 0 }
        for _ in 0..<Self.window { next() }
    }

    func accepts() {
        state.withLock { $0.accepted += 1 }
        next()
    }

    private func next() {
        guard let uploader = state.withLock({ $0.waiting.popLast() }) else { return }
        group.next().execute { uploader.value.submit() }
    }

    /// An update on `lattice` as small as most are, the same for every device.
    func update(on lattice: Lattice) throws(Fault) -> Update {
        if let update = state.withLock({ $0.update }), update.size == lattice.updateBytes {
            return update
        }
        let bytes = (0..<lattice.updateBytes).map {
            UInt8(bitPattern: Int8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 16 & 31 - 16))
        }
        var frames = ByteBuffer()
        for offset in stride(from: 0, to: bytes.count, by: WireLimits.chunkBytes) {
            let end = min(bytes.count, offset + WireLimits.chunkBytes)
            frames.writeBytes(
                try Message.submitChunk(
                    SubmitChunk(offset: UInt64(offset), data: Array(bytes[offset..<end]))
                ).encoded())
        }
        let update = Update(
            size: bytes.count, digest: SHA256.digest(of: bytes), frames: frames)
        state.withLock { $0.update = update }
        return update
    }
}

/// One of them on its connection. It trains nothing and fetches nothing.
final class Uploader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Work {
        /// A probe and a header, which leave together, as an agent's do.
        let opening: ByteBuffer
        let finish: ByteBuffer
        let update: Uploaders.Update
        var isProbed = false
    }

    private let all: Uploaders
    private var context: ChannelHandlerContext?
    private var decoder = FrameDecoder()
    private var readiness: PlanReadiness
    private var work: Work?

    init(of all: Uploaders) {
        self.all = all
        readiness = PlanReadiness(plan: all.plan)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        self.context = context
        checkIn(waiting: 0)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        all.note("\(error)")
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do throws(Fault) {
            while let message = try decoder.next() { try hear(message) }
        } catch {
            all.note("\(error)")
            context.close(promise: nil)
        }
    }

    private func say(_ frames: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(frames), promise: nil)
    }

    private func frame(_ message: Message) throws(Fault) -> ByteBuffer {
        ByteBuffer(bytes: try message.encoded())
    }

    func checkIn(waiting seconds: UInt32 = 60) {
        let request = CheckInRequest(
            agentVersion: "load", cpuFeatures: "none", memoryKib: 1 << 20, plans: [readiness],
            trustSetVersion: 1, waitSeconds: seconds)
        do throws(Fault) { say(try frame(.checkInRequest(request))) } catch { all.note("\(error)") }
    }

    private func hear(_ message: Message) throws(Fault) {
        switch message {
        case .checkInResponse(let response): try follow(response)
        case .submitStatus(let status): try settle(status)
        case .failure(let failure): all.note("\(failure.code): \(failure.message)")
        default: all.note("an answer that does not belong here")
        }
    }

    private func follow(_ response: CheckInResponse) throws(Fault) {
        for state in response.plans where state.plan == readiness.plan {
            readiness.planDigest = state.planDigest
            readiness.examples = 10
            readiness.hasModel = state.serving != nil
            readiness.modelVersion = state.serving?.version ?? 0
        }
        guard case .assignment(let assignment)? = response.next else { return checkIn() }
        try prepare(assignment)
    }

    /// Encodes what is to be said about this assignment.
    private func prepare(_ work: Assignment) throws(Fault) {
        guard let context, let spec = work.lattice else { return }
        let update = try all.update(on: try Lattice(spec))
        let header = SubmitHeader(
            round: work.round, attempt: work.attempt, submitToken: work.submitToken,
            latticeId: spec.id, baseVersion: work.baseModel?.version ?? 0, examples: 10,
            updatesSummed: 1, withinClip: true, size: UInt64(update.size),
            updateDigest: update.digest.bytes)
        let probe = SubmitProbe(
            round: work.round, attempt: work.attempt, submitToken: work.submitToken,
            updateDigest: update.digest.bytes)
        var opening = try frame(.submitProbe(probe))
        opening.writeImmutableBuffer(try frame(.submitHeader(header)))
        self.work = Work(
            opening: opening,
            finish: try frame(
                .submitFinish(SubmitFinish(round: work.round, attempt: work.attempt))),
            update: update)
        all.isReady(self, on: context.eventLoop)
    }

    /// Asks whether the update is wanted and offers it, as an agent does.
    func submit() {
        guard let work else { return all.note("a device without work was to submit") }
        say(work.opening)
    }

    private func settle(_ status: SubmitStatus) throws(Fault) {
        guard let work, let context else { return }
        switch status.verdict {
        case .wanted where !work.isProbed: self.work?.isProbed = true
        case .wanted where status.offset == 0:
            context.write(wrapOutboundOut(work.update.frames), promise: nil)
            say(work.finish)
        case .accepted:
            self.work = nil
            all.accepts()
        default: all.note("verdict \(status.verdict) \(status.reason)")
        }
    }
}
