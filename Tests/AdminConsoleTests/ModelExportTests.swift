import AdminConsole
import Cryptography
import Federation
import Foundation
import Provenance
import Testing
import Wire

/// A coordinator in memory with one signed version, `fashion-3`, in a log of some leaves.
private struct SmallExport {
    var log: SmallLog
    let trust: TrustSet
    let key: PrivateKey
    var blobs: [Digest: [UInt8]] = [:]
    var record: ModelRecord
    /// Where the version's leaf is.
    private let position: Int

    /// - Parameter leaves: before and after the version's own.
    init(
        files: [String: String] = ["MODEL_CARD.md": "card", "model.onnx": "abc"],
        leaves: (before: Int, after: Int) = (5, 300), plan: String = "fashion",
        logKey: PrivateKey? = nil, statement: Digest? = nil
    ) throws {
        key = try PrivateKey.generate(.p256)
        let signed = files.map { name, text in
            Provenance.ModelFile(name: name, digest: SHA256.digest(of: text.utf8))
        }
        let bundle = try ModelSignature.sign(name: "\(plan)-3", files: signed, key: key)
        let verified = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])
        for text in files.values { blobs[SHA256.digest(of: text.utf8)] = Array(text.utf8) }
        blobs[SHA256.digest(of: bundle)] = bundle
        record = ModelRecord(
            model: ModelRef(
                plan: plan, version: 3, modelDigest: SHA256.digest(of: "abc".utf8).bytes,
                modelSize: 3, signatureDigest: SHA256.digest(of: bundle).bytes,
                signatureSize: UInt64(bundle.count)),
            accuracy: 0.75,
            files: files.sorted { $0.key < $1.key }.map { name, text in
                Wire.ModelFile(
                    name: name, digest: SHA256.digest(of: text.utf8).bytes,
                    size: UInt64(text.utf8.count))
            }, publicKey: Array("another".utf8))
        log = try SmallLog(count: leaves.before, key: logKey)
        log.leaves.append(
            FleetEvent(
                .modelSigned,
                [
                    ("plan", .text(plan)), ("version", .number(3)),
                    ("statement", .text((statement ?? verified.statementDigest).hex)),
                ]
            ).leafBytes(unix: 1_700_000_000, rows: nil))
        log.leaves += try SmallLog(count: leaves.after).leaves
        position = leaves.before
        let authority = try CertificateAuthority.create(fleet: "lab", nowUnix: 1_700_000_000)
        trust = try TrustSet.initial(
            fleet: "lab", authorities: [authority.certificate],
            modelKeys: [.init(key: key.publicKey, from: 1)], log: log.signer.verifier,
            signedBy: key)
    }

    /// - Parameter shown: the leaves that the coordinator shows, if not the log's.
    func session(shown: [[UInt8]]? = nil) -> AdminSession<ScriptedStream> {
        AdminSession(ScriptedStream { try? answer($0, shown ?? log.leaves) })
    }

    private func answer(_ message: Message, _ leaves: [[UInt8]]) throws -> Message? {
        if case .blobRequest(let request) = message {
            guard let digest = Digest(bytes: request.digest), let bytes = blobs[digest] else {
                return .failure(Failure(Fault(.notFound, "no such blob")))
            }
            return .blobChunk(
                BlobChunk(
                    digest: request.digest, offset: request.offset,
                    totalSize: UInt64(bytes.count),
                    data: Array(bytes.dropFirst(Int(request.offset)))))
        }
        guard case .adminRequest(let request) = message else { return nil }
        switch request {
        case .trustShow: return .adminResponse(.trust(TrustRecord(document: trust.document)))
        case .auditProve:
            return .adminResponse(
                .logProof(LogProofRecord(proof: try log.proof(of: position).encoded())))
        case .auditCheckpoint:
            return .adminResponse(.checkpoint(try log.record(size: log.leaves.count, from: 0)))
        case .auditLog(let show):
            let items = leaves.indices.dropFirst(Int(show.first)).prefix(Int(show.limit)).map {
                LogEntry(index: UInt64($0), loggedUnix: 0, leaf: leaves[$0])
            }
            return .adminResponse(.log(LogEntries(size: UInt64(leaves.count), items: items)))
        default: return nil
        }
    }
}

@Suite("Exporting a model")
struct ModelExportTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func fault(_ coordinator: SmallExport, shown: [[UInt8]]? = nil) -> Fault? {
        #expect(throws: Fault.self) {
            var session = coordinator.session(shown: shown)
            _ = try session.export(coordinator.record, to: scratch.path)
        }
    }

    @Test("every file, the signature, the key, the proof, the trust set and the log are written")
    func layout() throws {
        let coordinator = try SmallExport()
        var session = coordinator.session()
        let output = scratch.path + "/out"
        let exported = try session.export(coordinator.record, to: output)
        let files = scratch.files().filter { !$0.hasPrefix("out/log/") }
        #expect(
            files == [
                "out", "out/fashion-3", "out/fashion-3.sig", "out/fashion-3.tlog-proof",
                "out/fashion-3/MODEL_CARD.md", "out/fashion-3/model.onnx", "out/log",
                "out/model-signing.pub", "out/trust-set.json",
            ])
        #expect(scratch.text("out/fashion-3/model.onnx") == "abc")
        #expect(scratch.text("out/model-signing.pub") == coordinator.key.publicKey.pem)
        #expect(
            scratch.text("out/trust-set.json")
                == String(decoding: coordinator.trust.document, as: UTF8.self))
        let proof = try LogProof(
            parsing: Array(#require(scratch.text("out/fashion-3.tlog-proof")).utf8))
        #expect(try proof.verify(key: coordinator.trust.log).checkpoint.size == 306)
        #expect(exported.modelDirectory == output + "/fashion-3")
        #expect(
            exported.json.text
                == #"{"model_dir":"\#(output)/fashion-3","signature":"\#(output)/fashion-3.sig","#
                + #""public_key":"\#(output)/model-signing.pub","#
                + #""proof":"\#(output)/fashion-3.tlog-proof","trust":"\#(output)/trust-set.json","#
                + #""log":"\#(output)/log","version":3,"accuracy":0.75}"#)
    }

    @Test("exporting again adds what the log has gained")
    func again() throws {
        var coordinator = try SmallExport(leaves: (5, 10))
        for size in [16, 272, 528] {
            var session = coordinator.session()
            let exported = try session.export(coordinator.record, to: scratch.path)
            let note = try #require(scratch.text("log/checkpoint"))
            let signed = try SignedCheckpoint(note: Array(note.utf8), key: coordinator.trust.log)
            #expect(signed.checkpoint.size == UInt64(size))
            var log = TileLog(
                source: DirectorySource(directory: exported.log), checkpoint: signed.checkpoint)
            #expect(try log.leaves(from: 5, count: 1) == [coordinator.log.leaves[5]])
            try log.verifyAll()
            coordinator.log.leaves += try SmallLog(count: 256).leaves
        }
    }

    @Test("a folder with another log, even one by the same key, is left alone")
    func otherLog() throws {
        let key = try PrivateKey.generate(.ed25519)
        let coordinator = try SmallExport(leaves: (5, 10), logKey: key)
        var session = coordinator.session()
        _ = try session.export(coordinator.record, to: scratch.path)
        let note = scratch.text("log/checkpoint")
        for other in [try SmallExport(leaves: (6, 9), logKey: key), try SmallExport()] {
            #expect(fault(other)?.code == .untrusted)
            #expect(scratch.text("log/checkpoint") == note)
        }
    }

    @Test("a log that shrank, or whose leaves are not its checkpoint's, leaves what was there")
    func changedLog() throws {
        let coordinator = try SmallExport(leaves: (5, 20))
        var session = coordinator.session()
        _ = try session.export(coordinator.record, to: scratch.path)
        let before = scratch.files()
        var shrunk = coordinator
        shrunk.log.leaves.removeLast(4)
        #expect(fault(shrunk)?.code == .untrusted)
        var longer = coordinator
        longer.log.leaves += try SmallLog(count: 300).leaves
        var other = longer.log.leaves
        other[250] = Array("{}".utf8)
        #expect(fault(longer, shown: other)?.message.contains("signed checkpoint") == true)
        #expect(fault(longer, shown: Array(other.prefix(100)))?.code == .untrusted)
        #expect(scratch.files() == before)
        var again = coordinator.session()
        _ = try again.export(coordinator.record, to: scratch.path)
    }

    @Test("a signature of other files, or a proof of another signature, is refused")
    func mismatch() throws {
        var other = try SmallExport()
        other.record.files.removeFirst()
        #expect(fault(other)?.message.contains("other files") == true)
        let unsigned = try SmallExport(statement: SHA256.digest(of: "another".utf8))
        #expect(fault(unsigned)?.message.contains("not about this version's signature") == true)
    }

    @Test(
        "a file name that leads elsewhere is refused",
        arguments: ["../evil", "a/b", ".hidden", "..", "", "a\nb"])
    func badName(name: String) throws {
        var coordinator = try SmallExport()
        coordinator.record.files = [
            Wire.ModelFile(name: name, digest: coordinator.record.files[0].digest, size: 4)
        ]
        #expect(fault(coordinator)?.code == .invalid)
        #expect(scratch.files() == ["fashion-3"])
    }

    @Test("a record without files, reference or proper plan name is refused")
    func incomplete() throws {
        let coordinator = try SmallExport()
        var without = coordinator.record
        without.files = []
        var elsewhere = coordinator.record
        elsewhere.model?.plan = "../fashion"
        for incomplete in [without, ModelRecord(), elsewhere] {
            var session = coordinator.session()
            let fault = #expect(throws: Fault.self) {
                _ = try session.export(incomplete, to: scratch.path)
            }
            #expect(fault?.code == .invalid)
            #expect(scratch.files().isEmpty)
        }
    }
}
