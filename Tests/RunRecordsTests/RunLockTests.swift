import Federation
import Glibc
import RunRecords
import Testing

@Suite("A run's lock")
struct RunLockTests {
    @Test("keeps others out until its owner ends, and whoever asks sees it")
    func held() throws {
        try withTemporaryDirectory { directory in
            let run = RunFile(path: "\(directory)/run.json")
            #expect(!RunLock.isHeld(run))
            do {
                let lock = try RunLock(run)
                #expect(RunLock.isHeld(run))
                let fault = #expect(throws: Fault.self) { _ = try RunLock(run) }
                #expect(fault?.code == .conflict)
                withExtendedLifetime(lock) {}
            }
            #expect(!RunLock.isHeld(run))
            _ = try RunLock(run)
        }
    }

    @Test("is not held by those who ask whether it is")
    func asked() throws {
        try withTemporaryDirectory { directory in
            let run = RunFile(path: "\(directory)/run.json")
            let asking = open(run.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            defer { close(asking) }
            #expect(flock(asking, LOCK_SH | LOCK_NB) == 0)
            // Another who asks is not told that a process is at work.
            #expect(!RunLock.isHeld(run))
            #expect(flock(asking, LOCK_UN) == 0)
            _ = try RunLock(run)
        }
    }
}
