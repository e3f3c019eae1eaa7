import Federation
import NIOCore
import NIOTLS
import Wire

/// Bytes of one connection to messages and back. After a frame it cannot read it says so once and reads no more.
final class MessageHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Result<Message, Fault>
    typealias OutboundIn = Message
    typealias OutboundOut = ByteBuffer

    private var decoder = FrameDecoder()
    private var isBroken = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        do throws(Fault) {
            decoder.append(unwrapInboundIn(data).readableBytesView)
            while let message = try decoder.next() {
                context.fireChannelRead(wrapInboundOut(.success(message)))
            }
        } catch {
            refuse(error, context)
        }
    }

    private func refuse(_ fault: Fault, _ context: ChannelHandlerContext) {
        isBroken = true
        context.fireChannelRead(wrapInboundOut(.failure(fault)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        if case TLSUserEvent.handshakeCompleted(let name)? = event as? TLSUserEvent,
            name != applicationProtocol
        {
            let fault = Fault(
                .invalid, "the client does not speak \(applicationProtocol)",
                remedy: "offer \(applicationProtocol) in ALPN, or update the older side")
            refuse(fault, context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The peer waits for an answer: when that is too large to send, it gets the reason.
    private func frame(of message: Message) throws(Fault) -> [UInt8] {
        do throws(Fault) {
            return try message.encoded()
        } catch {
            return try Message.failure(Failure(error)).encoded()
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        do throws(Fault) {
            let frame = try frame(of: unwrapOutboundIn(data))
            context.write(
                wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: promise)
        } catch {
            promise?.fail(error)
            context.fireErrorCaught(error)
        }
    }
}
