import AdminConsole
import Federation
import Foundation
import Testing
import Wire

@Suite("Exporting a model")
struct ModelExportTests {
    private let scratch: ScratchDirectory
    private let digest: Digest

    init() throws {
        scratch = try ScratchDirectory()
        digest = try #require(digestOfABC)
    }

    private func record(files: [String], accuracy: Double = 0.75) -> ModelRecord {
        ModelRecord(
            model: ModelRef(
                plan: "fashion", version: 3, modelDigest: digest.bytes, modelSize: 3,
                signatureDigest: digest.bytes, signatureSize: 3),
            accuracy: accuracy,
            files: files.map { ModelFile(name: $0, digest: digest.bytes, size: 3) },
            publicKey: Array("key".utf8))
    }

    @Test("every file, the signature and the key are written and their paths told")
    func layout() throws {
        var session = AdminSession(blobServer("abc", piece: 2))
        let output = scratch.path + "/out"
        let exported = try session.export(
            record(files: ["MODEL_CARD.md", "model.onnx"]), to: output)
        #expect(
            scratch.files() == [
                "out", "out/fashion-3", "out/fashion-3.sig", "out/fashion-3/MODEL_CARD.md",
                "out/fashion-3/model.onnx", "out/model-signing.pub",
            ])
        #expect(scratch.text("out/fashion-3/model.onnx") == "abc")
        #expect(scratch.text("out/model-signing.pub") == "key")
        #expect(exported.modelDirectory == output + "/fashion-3")
        #expect(exported.signature == output + "/fashion-3.sig")
        #expect(
            exported.json.text
                == #"{"model_dir":"\#(output)/fashion-3","signature":"\#(output)/fashion-3.sig","#
                + #""public_key":"\#(output)/model-signing.pub","version":3,"accuracy":0.75}"#)
    }

    @Test("exporting again replaces what is there")
    func again() throws {
        for _ in 0..<2 {
            var session = AdminSession(blobServer("abc", piece: 3))
            let exported = try session.export(
                record(files: ["model.onnx"], accuracy: -1), to: scratch.path)
            #expect(exported.accuracy == nil)
        }
        #expect(scratch.files().count == 4)
    }

    @Test(
        "a file name that leads elsewhere is refused",
        arguments: ["../evil", "a/b", ".hidden", "..", "", "a\nb"])
    func badName(name: String) throws {
        var session = AdminSession(blobServer("abc", piece: 3))
        let fault = #expect(throws: Fault.self) {
            _ = try session.export(record(files: [name]), to: scratch.path)
        }
        #expect(fault?.code == .invalid)
        #expect(scratch.files() == ["fashion-3"])
    }

    @Test("a record without files, reference or proper plan name is refused")
    func incomplete() throws {
        var elsewhere = record(files: ["model.onnx"])
        elsewhere.model?.plan = "../fashion"
        for incomplete in [record(files: []), ModelRecord(), elsewhere] {
            var session = AdminSession(blobServer("abc", piece: 3))
            let fault = #expect(throws: Fault.self) {
                _ = try session.export(incomplete, to: scratch.path)
            }
            #expect(fault?.code == .invalid)
            #expect(scratch.files().isEmpty)
        }
    }
}
