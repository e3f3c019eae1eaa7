import Federation
import Testing
import Wire

@Suite struct MessageTests {
    @Test("every message comes back as it was sent", arguments: Samples.all)
    func roundTrip(message: Message) throws {
        let frame = try message.encoded()
        #expect(try Message.decode(payload: frame.dropFirst(4)) == message)
        // A sequence without contiguous storage decodes too.
        #expect(try Message.decode(payload: AnySequence(frame.dropFirst(4))) == message)
    }

    @Test("every message of default values comes back as it was sent")
    func defaults() throws {
        let messages: [Message] = [
            .failure(Failure()), .enrolRequest(EnrolRequest()), .enrolResponse(EnrolResponse()),
            .checkInRequest(CheckInRequest()), .checkInResponse(CheckInResponse()),
            .checkInResponse(CheckInResponse(next: .assignment(Assignment()))),
            .checkInResponse(CheckInResponse(next: .comeBackSeconds(0))),
            .heartbeat(Heartbeat()), .heartbeatAck(HeartbeatAck()), .decline(Decline()),
            .blobRequest(BlobRequest()), .blobChunk(BlobChunk()), .submitProbe(SubmitProbe()),
            .submitHeader(SubmitHeader(metrics: [Metric()])), .submitChunk(SubmitChunk()),
            .submitFinish(SubmitFinish()), .submitStatus(SubmitStatus()),
            .trustSetRequest(TrustSetRequest()), .trustSetUpdate(TrustSetUpdate(sets: [[]])),
            .renewRequest(RenewRequest()), .renewResponse(RenewResponse()),
            .logProofRequest(LogProofRequest()), .logProof(LogProof(consistency: [[]])),
            .modelRefusal(ModelRefusal()), .adminResponse(.log(LogEntries(items: [LogEntry()]))),
            .adminRequest(.planApply(PlanApply())), .adminResponse(.plan(PlanRecord())),
            .adminResponse(.job(JobRecord())), .adminResponse(.model(ModelRecord())),
        ]
        for message in messages {
            #expect(try Message.decode(payload: message.encoded().dropFirst(4)) == message)
        }
    }

    @Test("the samples hold every kind of message, and no field of them has its default value")
    func samplesAreComplete() throws {
        let bodies = try Set(Samples.all.map { try tag(of: $0.encoded().dropFirst(4)) })
        #expect(bodies == Set(1...28))
        let requests = try Set(
            Samples.adminRequests.map {
                try tag(of: inner(of: Message.adminRequest($0).encoded().dropFirst(4)))
            })
        #expect(requests == Set(1...26))
        let responses = try Set(
            Samples.adminResponses.map {
                try tag(of: inner(of: Message.adminResponse($0).encoded().dropFirst(4)))
            })
        #expect(responses == Set(1...18))
        for message in Samples.all {
            #expect(defaultFields(of: message, "\(message)".prefix(40)) == [])
        }
    }

    @Test("a verdict goes over the wire as its number", arguments: SubmitStatus.Verdict.allCases)
    func verdicts(verdict: SubmitStatus.Verdict) throws {
        let message = Message.submitStatus(SubmitStatus(verdict: verdict))
        #expect(try Message.decode(payload: message.encoded().dropFirst(4)) == message)
    }

    @Test("the largest chunk is carried whole")
    func largestChunk() throws {
        var random = SeededRandom(seed: 1)
        let data = random.bytes(WireLimits.chunkBytes)
        for message in [
            Message.submitChunk(SubmitChunk(offset: 9, data: data)),
            Message.blobChunk(BlobChunk(digest: Samples.digest, totalSize: 1 << 33, data: data)),
        ] {
            #expect(try Message.decode(payload: message.encoded().dropFirst(4)) == message)
        }
    }

    /// The field number of the first tag.
    private func tag(of payload: some Collection<UInt8>) throws -> Int {
        var number = 0
        for (index, byte) in payload.enumerated() {
            number |= Int(byte & 0x7f) << (7 * index)
            if byte < 0x80 { break }
        }
        return number >> 3
    }

    /// The content of the length-delimited field that `payload` is.
    private func inner(of payload: some Collection<UInt8>) throws -> [UInt8] {
        let afterTag = payload.drop { $0 >= 0x80 }.dropFirst()
        return Array(afterTag.drop { $0 >= 0x80 }.dropFirst())
    }

    /// Names of the fields in `value` that are zero, false, empty or absent.
    private func defaultFields(of value: Any, _ name: some StringProtocol) -> [String] {
        switch value {
        case let text as String: return text.isEmpty ? ["\(name)"] : []
        case let number as any BinaryInteger: return number.description == "0" ? ["\(name)"] : []
        case let number as any BinaryFloatingPoint: return number.isZero ? ["\(name)"] : []
        case let truth as Bool: return truth ? [] : ["\(name)"]
        case let bytes as [UInt8]: return bytes.isEmpty ? ["\(name)"] : []
        default: break
        }
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .collection || mirror.displayStyle == .optional,
            mirror.children.isEmpty
        {
            return ["\(name)"]
        }
        return mirror.children.flatMap {
            defaultFields(of: $0.value, "\(name).\($0.label ?? "item")")
        }
    }
}
