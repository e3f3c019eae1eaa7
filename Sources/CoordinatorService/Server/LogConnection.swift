import NIOCore
import NIOHTTP1

/// One request to the log's server.
struct LogRequest: Sendable {
    let method: HTTPMethod
    /// As the client sent it.
    let uri: String
    let hasBody: Bool
}

/// What it is answered.
struct LogAnswer: Sendable {
    var status = HTTPResponseStatus.ok
    var headers: HTTPHeaders
    let body: [UInt8]
}

/// HTTP of one connection: its requests as they are complete, and the answers to them.
///
/// What a client sends besides a request's head is thrown away. A client that does not send a request and take the answer
/// within `seconds` is cut off, whether it is idle, slow or hostile.
final class LogConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = LogRequest
    typealias OutboundIn = LogAnswer
    typealias OutboundOut = HTTPServerResponsePart

    private let seconds: Int64
    private var head: HTTPRequestHead?
    private var hasBody = false
    /// Requests whose answers are not sent yet; the next one comes in before the last answer has left.
    private var unanswered = 0
    /// Further requests are ignored; after the answer the connection ends.
    private var isClosing = false
    /// The client sends no more.
    private var isInputClosed = false
    private var deadline: Scheduled<Void>?

    init(seconds: Int64) { self.seconds = seconds }

    func handlerAdded(context: ChannelHandlerContext) { wait(context.channel) }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    private func wait(_ channel: any Channel) {
        deadline?.cancel()
        deadline = channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            hasBody = false
        case .body: hasBody = true
        case .end:
            guard let head else { return }
            unanswered += 1
            let request = LogRequest(method: head.method, uri: head.uri, hasBody: hasBody)
            context.fireChannelRead(wrapInboundOut(request))
        }
    }

    /// A client that has sent its last request, and says so, still gets the answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        isInputClosed = true
        if unanswered == 0 { context.close(promise: nil) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let answer = unwrapOutboundIn(data)
        guard let request = head else { return context.close(promise: promise) }
        var headers = answer.headers
        headers.add(name: "Content-Length", value: String(answer.body.count))
        if !request.isKeepAlive || hasBody { isClosing = true }
        if isClosing { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: request.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let body = context.channel.allocator.buffer(bytes: answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let taken = promise ?? context.eventLoop.makePromise()
        let this = NIOLoopBound((self, context.channel), eventLoop: context.eventLoop)
        taken.futureResult.whenSuccess {
            let (connection, channel) = this.value
            connection.unanswered -= 1
            let isLast = connection.isInputClosed && connection.unanswered == 0
            if connection.isClosing || isLast {
                channel.close(promise: nil)
            } else {
                connection.wait(channel)
            }
        }
        context.write(wrapOutboundOut(.end(nil)), promise: taken)
    }
}
