import AgentService
import Federation
import Foundation
import Testing

@Suite("State directory")
struct StateDirectoryTests {
    let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    @Test("it is created with its folders, for its owner alone")
    func prepares() throws {
        let directory = StateDirectory(path: "\(temporary.path)/state")
        try directory.prepare()
        for path in [
            directory.path, directory.blobDirectory, directory.modelDirectory,
            directory.updateDirectory, directory.planDirectory,
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.type] as? FileAttributeType == .typeDirectory)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
        #expect(!directory.isEnrolled)
    }

    @Test("preparing again changes nothing")
    func preparesAgain() throws {
        let directory = StateDirectory(path: "\(temporary.path)/state")
        try directory.prepare()
        try temporary.write([1], to: "state/status.json")
        try directory.prepare()
        #expect(try temporary.contents("state/status.json") == [1])
    }

    @Test("a place where no directory can be is named, with what to do")
    func impossible() throws {
        try temporary.write([], to: "file")
        for path in ["\(temporary.path)/file", "\(temporary.path)/file/below", "/proc/agent"] {
            let fault = fault { () throws(Fault) in try StateDirectory(path: path).prepare() }
            #expect(fault?.code == .storage)
            #expect(fault?.message.contains(path) == true)
            #expect(fault?.remedy.isEmpty == false)
        }
    }

    @Test("one process at a time works in it")
    func locks() throws {
        let directory = StateDirectory(path: "\(temporary.path)/state")
        try directory.prepare()
        #expect(!StateLock.isHeld(directory))
        do {
            let lock = try StateLock(directory)
            #expect(StateLock.isHeld(directory))
            let fault = fault { () throws(Fault) in _ = try StateLock(directory) }
            #expect(fault?.code == .conflict)
            _ = consume lock
        }
        #expect(!StateLock.isHeld(directory))
    }
}
