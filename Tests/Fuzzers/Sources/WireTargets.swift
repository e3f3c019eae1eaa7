import Federation
import Verification
import Wire

/// What arrives over the network.
let wireTargets: [String: FuzzTarget] = [
    "message": FuzzTarget(
        { input in
            guard let message = try? Message.decode(payload: input) else { return }
            demand(payload(of: message) != nil, "\(message) is decoded and cannot be encoded")
            convert(message)
        },
        seeds: { Samples.all.compactMap(payload) }),
    // A byte that says how the rest is cut: a stream means the same however it arrives.
    "frames": FuzzTarget(
        { input in
            guard let cut = input.first else { return }
            let stream = input.dropFirst()
            demand(
                results([stream]) == results(pieces(of: stream, by: Int(cut))),
                "a stream that is cut by \(cut) means something else")
        },
        seeds: {
            let frames = Samples.all.compactMap { try? $0.encoded() }
            return [[7] + frames.prefix(6).joined()] + frames.map { [3] + $0 }
        }),
    // A byte that says how the rest is cut.
    "http-answer": FuzzTarget(
        { input in
            guard let cut = input.first else { return }
            var answer = HTTPAnswer(largestBody: 1024)
            do throws(Fault) {
                for piece in pieces(of: input.dropFirst(), by: Int(cut)) {
                    try answer.append(piece)
                }
                if !answer.isComplete { try answer.end() }
                let body = try answer.body()
                demand(body?.count ?? 0 <= 1024, "a body is larger than allowed")
            } catch {}
        },
        seeds: {
            [
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nleaf\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "HTTP/1.0 200 OK\r\nServer: any\r\n\r\nup to the end",
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n",
            ].map { [5] + Array($0.utf8) }
        }),
]

/// The payload of a message's frame, once it is decoded and encoded again without a difference; nil
/// when it cannot be encoded.
private func payload(of message: Message) -> [UInt8]? {
    guard let frame = try? message.encoded() else { return nil }
    let payload = Array(frame.dropFirst(WireLimits.prefixBytes))
    // Bytes are compared and not values, of which one that is not a number equals none.
    let again = try? Message.decode(payload: payload).encoded()
    demand(again == frame, "\(message) is another one once it was encoded")
    return payload
}

/// Makes the fleet's own values of what `message` carries, as its receiver does.
private func convert(_ message: Message) {
    switch message {
    case .checkInResponse(let response):
        guard case .assignment(let assignment) = response.next, let spec = assignment.lattice,
            let lattice = try? Lattice(spec)
        else { return }
        demand(!lattice.canonicalBytes.isEmpty, "\(lattice) has no bytes")
    case .submitStatus(let status):
        guard let verdict = try? SubmitVerdict(status) else { return }
        demand(payload(of: .submitStatus(SubmitStatus(verdict))) != nil, "\(verdict) is lost")
    case .failure(let failure):
        let fault = Fault(failure)
        demand(payload(of: .failure(Failure(fault))) != nil, "\(fault) cannot be passed on")
    default: break
    }
}

/// What a decoder makes of a stream that arrives in pieces: each frame as it is encoded again, or why
/// it is refused.
private func results(_ pieces: [ArraySlice<UInt8>]) -> [[UInt8]] {
    var decoder = FrameDecoder()
    var found: [[UInt8]] = []
    for piece in pieces {
        decoder.append(piece)
        var isEmpty = false
        while !isEmpty {
            do throws(Fault) {
                let message = try decoder.next()
                if let message { found.append(payload(of: message) ?? []) }
                isEmpty = message == nil
            } catch {
                found.append(Array(error.message.utf8))
                if isClosed(&decoder) { return found }
            }
        }
    }
    return found
}

/// Whether a decoder that has just refused a frame refuses all that follows.
private func isClosed(_ decoder: inout FrameDecoder) -> Bool {
    guard decoder.bufferedCount == 0 else { return false }
    do { return try decoder.next() != nil } catch { return true }
}

/// Pieces of lengths that go around `cut`, the first of one byte.
func pieces(of bytes: ArraySlice<UInt8>, by cut: Int) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    var length = 1
    while !rest.isEmpty {
        pieces.append(rest.prefix(length))
        rest = rest.dropFirst(length)
        length = (length + cut) % 251 + 1
    }
    return pieces
}
