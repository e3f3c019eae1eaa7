import Cryptography
import Federation
import Foundation
import Testing

@Suite("Files written again and again")
struct RewrittenFileTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("status")
    }

    private func replace(
        _ text: String, _ durability: CredentialFile.Durability = .full
    ) throws {
        try RewrittenFile.replace(
            path, Array(text.utf8), mode: CredentialFile.publicMode, durability: durability)
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    private func number(_ path: String) throws -> UInt64? {
        try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
    }

    private var spare: String { RewrittenFile.spare(of: path) }

    @Test(
        "each time the new contents are there, longer or shorter, and no third file",
        arguments: [CredentialFile.Durability.none, .contents, .full])
    func replaces(durability: CredentialFile.Durability) throws {
        for contents in ["first", "the second is longer", "", "4"] {
            try replace(contents, durability)
            #expect(try text(path) == contents)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.sorted() == ["status", "status.spare"])
        #expect(
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                == 0o644)
    }

    @Test("the older file stays as the spare, and the next is written over it")
    func takesTurns() throws {
        try replace("first")
        let first = try number(path)
        try replace("second")
        #expect(try number(spare) == first)
        try replace("third")
        #expect(try number(path) == first)
        #expect(try text(path) == "third")
    }

    @Test("who reads an older file reads it to its end, however often it is replaced meanwhile")
    func readers() throws {
        try replace("first")
        let reader = try #require(FileHandle(forReadingAtPath: path))
        for contents in ["second", "third", "fourth"] { try replace(contents) }
        #expect(try reader.readToEnd() == Data("first".utf8))
        #expect(try text(path) == "fourth")
    }

    @Test("what somebody linked, or left of another kind or mode, is not written over")
    func strangers() throws {
        let other = try directory.write("other", "theirs")
        try FileManager.default.linkItem(atPath: other, toPath: spare)
        try replace("mine")
        #expect(try text(other) == "theirs")
        try FileManager.default.createSymbolicLink(atPath: spare, withDestinationPath: other)
        try replace("again")
        #expect(try text(other) == "theirs" && text(path) == "again")
        try? FileManager.default.removeItem(atPath: spare)
        _ = try directory.write("status.spare", "open to all")
        #expect(chmod(spare, 0o666) == 0)
        try replace("private")
        #expect(
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                == 0o644)
    }

    @Test("nothing of what was in a removed file stays")
    func removal() throws {
        try replace("secret")
        RewrittenFile.remove(path, erasing: true)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try Data(contentsOf: URL(filePath: spare)) == Data(count: 6))
        try replace("next")
        #expect(try text(path) == "next")
        #expect(!FileManager.default.fileExists(atPath: spare))
    }

    @Test("a large file, or one with another name, is removed as everywhere else")
    func notKept() throws {
        try replace(String(repeating: "x", count: RewrittenFile.largestSpare + 1))
        RewrittenFile.remove(path, erasing: true)
        #expect(!FileManager.default.fileExists(atPath: spare))
        try replace("linked")
        try FileManager.default.linkItem(atPath: path, toPath: directory.file("link"))
        RewrittenFile.remove(path, erasing: true)
        #expect(try text(directory.file("link")) == "linked")
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(!FileManager.default.fileExists(atPath: spare))
    }

    @Test("a directory that does not exist is named")
    func noDirectory() {
        let fault = #expect(throws: Fault.self) {
            try RewrittenFile.replace(
                directory.file("missing/status"), [1], mode: CredentialFile.publicMode)
        }
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains("missing/status") == true)
    }
}
