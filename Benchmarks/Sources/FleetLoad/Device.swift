import Cryptography
import Federation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import UpdateCodec
import Wire

/// One virtual device on its connection: the agent's side of the protocol, event by event, with an update of zeros in place
/// of training. When the connection ends it comes back, as an agent does.
final class Device: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let crowd: Crowd
    private let index: Int
    private var channel: (any Channel)?
    private var decoder = FrameDecoder()
    private var readiness: PlanReadiness
    private var hasCheckedIn = false
    /// The blob that is being fetched: what came of it is counted and thrown away.
    private var download: (digest: [UInt8], offset: UInt64, total: UInt64)?
    private var work: Assignment?
    private var isAnnounced = false

    init(_ index: Int, of crowd: Crowd, plan: String) {
        self.index = index
        self.crowd = crowd
        readiness = PlanReadiness(plan: plan)
    }

    // MARK: The connection

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        channel = context.channel
        crowd.count(.connected)
        checkIn()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if channel != nil { crowd.count(.disconnected) }
        channel = nil
        crowd.reconnect(index)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do throws(Fault) {
            while let message = try decoder.next() { hear(message) }
        } catch {
            crowd.note("device \(index): \(error)")
            context.close(promise: nil)
        }
    }

    private func say(_ message: Message) {
        guard let channel, let frame = try? message.encoded() else { return }
        channel.writeAndFlush(channel.allocator.buffer(bytes: frame), promise: nil)
    }

    private func after(_ seconds: Double, _ body: @escaping (Device) -> Void) {
        guard let channel else { return }
        let this = NIOLoopBound((self, body), eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) {
            let (device, body) = this.value
            // Another connection may have taken its place.
            if device.channel === channel { body(device) }
        }
    }

    // MARK: The protocol

    private func checkIn() {
        work = nil
        say(
            .checkInRequest(
                CheckInRequest(
                    agentVersion: "load", cpuFeatures: "none", memoryKib: 1 << 20,
                    plans: [readiness], trustSetVersion: 1, waitSeconds: hasCheckedIn ? 60 : 0)))
    }

    private func hear(_ message: Message) {
        switch message {
        case .checkInResponse(let response): follow(response)
        case .blobChunk(let chunk): take(chunk)
        case .submitStatus(let status): settle(status)
        case .heartbeatAck, .declineAck: break
        case .failure(let failure):
            crowd.note("\(failure.code): \(failure.message)")
            if !failure.closing { after(5) { $0.checkIn() } }
        default: crowd.note("an answer that does not belong here")
        }
    }

    private func follow(_ response: CheckInResponse) {
        if !hasCheckedIn { crowd.count(.checkedIn) }
        hasCheckedIn = true
        for state in response.plans where state.plan == readiness.plan {
            readiness.planDigest = state.planDigest
            readiness.examples = 10
            readiness.hasModel = state.serving != nil
            readiness.modelVersion = state.serving?.version ?? 0
        }
        switch response.next {
        case .assignment(let assignment):
            crowd.count(.assigned)
            work = assignment
            if crowd.downloads, let model = assignment.baseModel {
                download = (model.modelDigest, 0, model.modelSize)
                fetch()
            } else {
                train()
            }
        case .comeBackSeconds(let seconds): after(max(0.1, Double(seconds))) { $0.checkIn() }
        case nil: crowd.note("an answer without what to do next")
        }
    }

    private func fetch() {
        guard let download else { return }
        say(.blobRequest(BlobRequest(digest: download.digest, offset: download.offset)))
    }

    private func take(_ chunk: BlobChunk) {
        guard chunk.offset == download?.offset, !chunk.data.isEmpty else {
            return crowd.note("a piece of a blob that was not asked for")
        }
        crowd.count(.received, UInt64(chunk.data.count))
        download?.offset += UInt64(chunk.data.count)
        guard let download, download.offset >= chunk.totalSize else { return fetch() }
        self.download = nil
        train()
    }

    /// Sends one heartbeat, and is done a moment later.
    private func train() {
        guard let work else { return }
        say(
            .heartbeat(
                Heartbeat(
                    round: work.round, attempt: work.attempt, submitToken: work.submitToken,
                    progress: 0.5)))
        after(Double.random(in: 0.2...1)) { $0.probe() }
    }

    private func probe() {
        guard let work, let update = update(work) else { return }
        isAnnounced = false
        say(
            .submitProbe(
                SubmitProbe(
                    round: work.round, attempt: work.attempt, submitToken: work.submitToken,
                    updateDigest: update.digest.bytes)))
    }

    private func update(_ work: Assignment) -> Crowd.Update? {
        guard let lattice = work.lattice.flatMap({ try? Lattice($0) }) else { return nil }
        return crowd.update(bytes: lattice.updateBytes)
    }

    private func settle(_ status: SubmitStatus) {
        guard let work, let update = update(work) else { return }
        switch status.verdict {
        case .wanted where isAnnounced: send(update, from: Int(status.offset))
        case .wanted:
            isAnnounced = true
            say(
                .submitHeader(
                    SubmitHeader(
                        round: work.round, attempt: work.attempt, submitToken: work.submitToken,
                        latticeId: work.lattice?.id ?? [],
                        baseVersion: work.baseModel?.version ?? 0, examples: 10, updatesSummed: 1,
                        withinClip: true, size: UInt64(update.bytes.count),
                        updateDigest: update.digest.bytes)))
        case .later:
            crowd.count(.putOff)
            after(Double(max(1, status.retrySeconds))) { $0.probe() }
        case .accepted, .duplicate:
            crowd.count(.accepted)
            checkIn()
        case .gone:
            crowd.count(.tooLate)
            checkIn()
        case .rejected, .unspecified:
            crowd.note("an update was rejected: \(status.reason)")
            checkIn()
        }
    }

    /// Sends what is missing, the next piece when the last one has left.
    private func send(_ update: Crowd.Update, from offset: Int) {
        guard let channel, let work else { return }
        guard offset < update.bytes.count else {
            return say(.submitFinish(SubmitFinish(round: work.round, attempt: work.attempt)))
        }
        let end = min(update.bytes.count, offset + WireLimits.chunkBytes)
        let chunk = SubmitChunk(offset: UInt64(offset), data: Array(update.bytes[offset..<end]))
        guard let frame = try? Message.submitChunk(chunk).encoded() else { return }
        crowd.count(.sent, UInt64(end - offset))
        let this = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.writeAndFlush(channel.allocator.buffer(bytes: frame)).whenSuccess {
            this.value.send(update, from: end)
        }
    }
}
