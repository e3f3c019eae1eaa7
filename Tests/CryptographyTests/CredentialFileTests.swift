import Cryptography
import Federation
import Foundation
import Testing

@Suite("Credential files")
struct CredentialFileTests {
    @Test(
        "replacing leaves the new contents, the mode asked for and no other file",
        arguments: [CredentialFile.Durability.none, .contents, .full], ["new", ""])
    func replacing(durability: CredentialFile.Durability, contents: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("agent.crt", "old")
        try CredentialFile.replace(
            path, Array(contents.utf8), mode: CredentialFile.publicMode, durability: durability)
        #expect(try CredentialFile.read(path) == Array(contents.utf8))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o644)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["agent.crt"])
    }

    @Test("a directory that does not exist is named, with what to do")
    func noDirectory() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("missing/agent.key")
        let fault = #expect(throws: Fault.self) {
            try CredentialFile.create(path, [1], mode: CredentialFile.secretMode)
        }
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains(path) == true)
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test("a file that is too large, or a pipe, is refused and does not block")
    func unusable() throws {
        let directory = try TemporaryDirectory()
        let large = try directory.write(
            "large", String(repeating: "x", count: CredentialFile.largestBytes + 1))
        #expect(throws: Fault.self) { try CredentialFile.read(large) }
        let pipe = directory.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: Fault.self) { try CredentialFile.read(pipe) }
    }
}
