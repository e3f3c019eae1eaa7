import Federation
import Foundation
import RunRecords
import Testing

@Suite("A run's file")
struct RunFileTests {
    @Test("reads back what it wrote, and is written the same way each time")
    func roundTrip() throws {
        try withTemporaryDirectory { directory in
            let file = RunFile(path: "\(directory)/deep/er/run.json")
            var record = sampleRecord()
            try file.create(record)
            #expect(try file.read() == record)
            record.state = .failed
            record.fault = "no more"
            record.parameters["privacy.noise_multiplier"] = .number(.infinity)
            try file.write(record)
            let read = try file.read()
            #expect(read.fault == "no more")
            // JSON has no word for it, so it comes back as text.
            #expect(read.parameters["privacy.noise_multiplier"] == .text("inf"))
            #expect(try RunFile.text(read) == (try RunFile.text(record)))
            #expect(file.name == "run")
        }
    }

    @Test("does not replace another run's")
    func conflict() throws {
        try withTemporaryDirectory { directory in
            let file = RunFile(path: "\(directory)/run.json")
            try file.create(sampleRecord())
            let fault = #expect(throws: Fault.self) { try file.create(sampleRecord()) }
            #expect(fault?.code == .conflict)
            #expect(fault?.remedy.contains("--resume") == true)
        }
    }

    @Test(
        "refuses what is no record, or one of another schema",
        arguments: [
            ("", "is no run's record"), ("{}", "is no run's record"),
            ("{\"schema\": \"tributary.run/1\"}", "is no run's record"),
            ("{\"schema\": \"tributary.run/2\"}", "of the schema tributary.run/2"),
        ])
    func damaged(text: String, words: String) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/run.json"
            try Data(text.utf8).write(to: URL(filePath: path))
            let fault = #expect(throws: Fault.self) { try RunFile(path: path).read() }
            #expect(fault?.message.contains(words) == true)
        }
        let missing = #expect(throws: Fault.self) { try RunFile(path: "/nowhere/x.json").read() }
        #expect(missing?.code == .notFound)
    }

    @Test("keeps a checkpoint beside the record until it is forgotten")
    func checkpoint() throws {
        try withTemporaryDirectory { directory in
            let file = RunFile(path: "\(directory)/run.json")
            #expect(file.readCheckpoint() == nil)
            try file.writeCheckpoint([1, 2])
            try file.writeCheckpoint([3])
            #expect(file.readCheckpoint() == [3])
            file.removeCheckpoint()
            #expect(file.readCheckpoint() == nil)
        }
    }

    @Test("is numbered in its directory, in the order of numbers")
    func directory() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: "\(path)/runs")
            #expect(directory.runs().isEmpty)
            for number in 1...11 {
                #expect(try directory.begin(sampleRecord()).name == "beads-\(number)")
            }
            #expect(directory.runs().map(\.name) == (1...11).map { "beads-\($0)" })
            try FileManager.default.removeItem(atPath: directory.run("beads-3").path)
            // A number is not given twice, so that nobody takes one run for another.
            #expect(try directory.begin(sampleRecord()).name == "beads-12")
            #expect(directory.run("a/b.json").path == "a/b.json")
        }
    }

    @Test(
        "goes where the environment says",
        arguments: [
            (["TRIBUTARY_RUNS": "/r", "HOME": "/h"], "/r"),
            (["XDG_STATE_HOME": "/s", "HOME": "/h"], "/s/tributary/runs"),
            (["HOME": "/h", "XDG_STATE_HOME": ""], "/h/.local/state/tributary/runs"), ([:], nil),
        ])
    func standard(environment: [String: String], path: String?) {
        #expect(RunDirectory.standard(environment)?.path == path)
    }
}
