import Federation
import Testing
import Wire

/// What a peer may not send, and what is not sent to one.
@Suite struct RefusalTests {
    @Test("an envelope without a body, or with one of a newer version, is refused")
    func unknownBodies() {
        let remedy = "use the same version of Tributary on both sides"
        func unknown(_ name: String) -> Fault {
            Fault(
                .invalid, "\(name) is empty or of a kind that this version does not know",
                remedy: remedy)
        }
        #expect(decoding([]) == unknown("Message"))
        #expect(decoding(ProtobufBytes.field(99, [1])) == unknown("Message"))
        #expect(decoding(ProtobufBytes.field(19, [])) == unknown("AdminRequest"))
        #expect(
            decoding(ProtobufBytes.field(20, ProtobufBytes.field(77, [])))
                == unknown("AdminResponse"))
    }

    @Test("bytes that are no protobuf are refused")
    func noProtobuf() {
        let refusal = Fault(
            .invalid, "the message is not a Tributary envelope",
            remedy: "send the messages of proto/tributary/v1, or update the older side")
        #expect(decoding([0xff]) == refusal)
        #expect(decoding(Array("GET / HTTP/1.1\r\n\r\n".utf8)) == refusal)
        // A failure whose length points behind the end.
        #expect(decoding([0x0a, 0x7f, 0x0a]) == refusal)
        // The oneof's field with a number where a message belongs.
        #expect(decoding(ProtobufBytes.field(1, 5)) == refusal)
    }

    @Test("text that is not UTF-8 is refused")
    func invalidText() {
        let failure = ProtobufBytes.field(1, ProtobufBytes.field(2, [0x61, 0xff]))
        #expect(decoding(failure) == Fault(.invalid, "Failure.message is not UTF-8"))
    }

    @Test("a verdict without a meaning is refused")
    func strangeVerdict() {
        let status = ProtobufBytes.field(16, ProtobufBytes.field(1, 7))
        #expect(
            decoding(status) == Fault(.invalid, "SubmitStatus.verdict is 7, which has no meaning"))
        let negative = ProtobufBytes.field(16, ProtobufBytes.field(1, UInt64.max))
        #expect(decoding(negative)?.code == .invalid)
    }

    @Test("a digest of another length is refused in both directions")
    func digestLength() {
        let refusal = Fault(
            .invalid, "BlobRequest.digest has 31 bytes, a SHA-256 digest has 32")
        let digest = [UInt8](repeating: 1, count: 31)
        #expect(decoding(ProtobufBytes.field(10, ProtobufBytes.field(1, digest))) == refusal)
        #expect(encoding(.blobRequest(BlobRequest(digest: digest))) == refusal)
    }

    @Test("text, byte strings and lists above their limits are refused in both directions")
    func limits() {
        let text = String(repeating: "x", count: WireLimits.textBytes + 1)
        let longText = Fault(
            .exhausted, "Decline.reason has 4097 bytes, at most 4096 are allowed")
        #expect(
            decoding(ProtobufBytes.field(8, ProtobufBytes.field(4, Array(text.utf8)))) == longText)
        #expect(encoding(.decline(Decline(reason: text))) == longText)

        let chunk = [UInt8](repeating: 1, count: WireLimits.chunkBytes + 1)
        let longChunk = Fault(
            .exhausted, "SubmitChunk.data has 262145 bytes, at most 262144 are allowed")
        #expect(decoding(ProtobufBytes.field(14, ProtobufBytes.field(2, chunk))) == longChunk)
        #expect(encoding(.submitChunk(SubmitChunk(data: chunk))) == longChunk)

        let metrics = [Metric](repeating: Metric(name: "loss"), count: WireLimits.metrics + 1)
        let manyMetrics = Fault(
            .exhausted, "SubmitHeader.metrics has 65 items, at most 64 are allowed")
        let encodedMetrics = metrics.flatMap { _ in ProtobufBytes.field(11, []) }
        #expect(decoding(ProtobufBytes.field(13, encodedMetrics)) == manyMetrics)
        #expect(encoding(.submitHeader(SubmitHeader(metrics: metrics))) == manyMetrics)

        let sets = [[UInt8]](repeating: [1], count: WireLimits.trustSets + 1)
        let manySets = Fault(
            .exhausted, "TrustSetUpdate.sets has 65 items, at most 64 are allowed")
        #expect(
            decoding(ProtobufBytes.field(18, sets.flatMap { ProtobufBytes.field(1, $0) }))
                == manySets)
        #expect(encoding(.trustSetUpdate(TrustSetUpdate(sets: sets))) == manySets)
    }

    @Test("a leaf, a path and a hash above what the log can hold are refused in both directions")
    func logLimits() {
        let leaf = [UInt8](repeating: 1, count: WireLimits.leafBytes + 1)
        let longLeaf = Fault(
            .exhausted, "LogEntry.leaf has 65536 bytes, at most 65535 are allowed")
        let entries = ProtobufBytes.field(13, ProtobufBytes.field(2, ProtobufBytes.field(3, leaf)))
        #expect(decoding(ProtobufBytes.field(20, entries)) == longLeaf)
        #expect(
            encoding(.adminResponse(.log(LogEntries(items: [LogEntry(leaf: leaf)])))) == longLeaf)

        let path = [[UInt8]](repeating: Samples.digest, count: WireLimits.pathHashes + 1)
        let longPath = Fault(
            .exhausted, "LogProof.consistency has 66 items, at most 65 are allowed")
        let encodedPath = path.flatMap { ProtobufBytes.field(2, $0) }
        #expect(decoding(ProtobufBytes.field(24, encodedPath)) == longPath)
        #expect(encoding(.logProof(LogProof(consistency: path))) == longPath)

        let shortHash = Fault(
            .invalid, "CheckpointRecord.consistency has 31 bytes, a SHA-256 digest has 32")
        let hash = [UInt8](repeating: 1, count: 31)
        let checkpoint = ProtobufBytes.field(15, ProtobufBytes.field(2, hash))
        #expect(decoding(ProtobufBytes.field(20, checkpoint)) == shortHash)
        #expect(
            encoding(.adminResponse(.checkpoint(CheckpointRecord(consistency: [hash]))))
                == shortHash)
    }

    @Test("a full answer of leaves fits in a frame, counted as the server counts")
    func fullLogAnswer() throws {
        let leaf = [UInt8](repeating: 0x7b, count: 300)
        let room = WireLimits.frameBytes - WireLimits.logEntryOverheadBytes
        let count = room / (leaf.count + WireLimits.logEntryOverheadBytes)
        let entry = LogEntry(index: .max, loggedUnix: .max, leaf: leaf)
        let items = [LogEntry](repeating: entry, count: count)
        let message = Message.adminResponse(.log(LogEntries(size: .max, items: items)))
        #expect(try Message.decode(payload: message.encoded().dropFirst(4)) == message)
    }

    @Test("text with a NUL character is not sent, because C would cut it short")
    func embeddedNUL() {
        #expect(
            encoding(.failure(Failure(message: "a\0b")))
                == Fault(.invalid, "Failure.message contains a NUL character"))
    }

    @Test("a message that does not fit in a frame is not sent")
    func tooLong() {
        let record = PlanRecord(text: [UInt8](repeating: 35, count: WireLimits.planTextBytes))
        let records = PlanRecords(items: [record, record, record, record])
        let fault = encoding(.adminResponse(.plans(records)))
        #expect(fault?.code == .exhausted)
        #expect(fault?.message.hasSuffix("is above the limit of 1048576") == true)
    }

    @Test("a frame of many tiny items is refused before it fills the memory")
    func amplification() {
        // Each empty PlanReadiness is 2 bytes here and more than 60 as a struct.
        let items = [UInt8](repeating: 0, count: 1_000_000).enumerated().map {
            $0.offset.isMultiple(of: 2) ? UInt8(0x22) : 0
        }
        #expect(
            decoding(ProtobufBytes.field(4, items))
                == Fault(.exhausted, "the message takes too much memory to decode"))
    }

    @Test("the longest honest list of agents fits in a frame and in the memory to decode it")
    func longestList() throws {
        let record = AgentRecord(
            agent: "agent-0123456789abcdef", state: "active", enrolledUnix: 1_700_000_000,
            lastSeenUnix: 1_700_000_000, version: "0.1.0", cpuFeatures: "x86-64 avx2 avx512vnni",
            memoryKib: 16_000_000, certificateExpiresUnix: 1_700_000_000,
            plans: [Samples.agentRecord.plans[0]])
        let count = 8_000
        let message = Message.adminResponse(
            .agents(AgentRecords(items: [AgentRecord](repeating: record, count: count))))
        let frame = try message.encoded()
        #expect(frame.count > 800_000)
        #expect(try Message.decode(payload: frame.dropFirst(4)) == message)
    }

    private func decoding(_ payload: [UInt8]) -> Fault? {
        do {
            _ = try Message.decode(payload: payload)
            return nil
        } catch { return error }
    }

    private func encoding(_ message: Message) -> Fault? {
        do {
            _ = try message.encoded()
            return nil
        } catch { return error }
    }
}
