import CoordinatorService
import Federation
import Foundation
import Glibc
import Testing
import Wire

@Suite("A coordinator whose disk", .timeLimit(.minutes(10)))
struct StorageTests {
    /// Serves a fleet whose state is on a file system of its own.
    ///
    /// - Parameter minFreeMiB: of 24.
    private func onSmallDisk(
        minFreeMiB: Int = 0, _ body: (FleetUnderTest, SmallDisk) async throws -> Void
    ) async throws {
        try await FleetUnderTest.inTurn { directory in
            let disk = try SmallDisk(directory.file("state"), mebibytes: 24)
            defer { disk.unmount() }
            try await FleetUnderTest.initialise(directory, minFreeMiB: minFreeMiB)
            try await FleetUnderTest.serve(directory) { fleet in try await body(fleet, disk) }
        }
    }

    private func storage(_ admin: Admin) async throws -> DoctorLine {
        guard case .doctor(let report) = try await admin.ask(.doctorRun(DoctorRun())) else {
            throw Fault(.internal, "not a doctor's answer")
        }
        return try #require(report.items.first { $0.check == "storage" })
    }

    @Test(
        "has too little room begins nothing, tells agents to come back, and goes on by itself",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func reserve() async throws {
        try await onSmallDisk(minFreeMiB: 8) { fleet, disk in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let token = try await admin.token(uses: 2)
            #expect(try await storage(admin).ok)
            try disk.fill(leaving: 4)
            let line = try await storage(admin)
            #expect(!line.ok && line.detail.contains("8 are to stay free"))
            let refused = await refusal { _ = try await admin.start("tiny") }
            #expect(refused?.code == .storage && refused?.remedy.contains("free space") == true)
            let enrolled = await refusal {
                _ = try await ScriptedAgent.enrol(in: fleet, token: token)
            }
            #expect(enrolled?.code == .unavailable)
            let applied = await refusal { _ = try await admin.apply(TinyPlan(hidden: 7).text) }
            #expect(applied?.code == .storage)
            let paused = await refusal { try await admin.pause("tiny") }
            #expect(paused?.code == .storage)
            // How much is free is told as it is now, but nobody is woken for that.
            let revision = try await admin.plan("tiny").revision
            try disk.fill(leaving: 2)
            #expect(try await storage(admin).detail != line.detail)
            #expect(try await admin.plan("tiny").revision == revision)
            // Agents hear what there is, and come back.
            let response = try await agents[0].checkIn([])
            #expect(response.next != nil)
            try disk.empty()
            #expect(try await storage(admin).ok)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test(
        "is full when a device enrols tells it whose disk is full",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func fullAtEnrolment() async throws {
        try await onSmallDisk { fleet, disk in
            let admin = try await fleet.admin()
            let token = try await admin.token(uses: 2)
            // Nobody has noticed yet.
            try disk.fill(leaving: 0)
            let fault = await refusal {
                _ = try await ScriptedAgent.enrol(in: fleet, token: token)
            }
            #expect(fault?.code == .unavailable)
            #expect(fault?.message.contains("the coordinator") == true)
            #expect(fault?.message.contains("its disk is full") == true, "\(fault?.message ?? "")")
            try disk.empty()
            #expect(try await storage(admin).ok)
            // The coordinator tries the disk again in its own time; until then a device is told to come back.
            let end = ContinuousClock.now + .seconds(60)
            var isIn = false
            while !isIn {
                do {
                    _ = try await ScriptedAgent.enrol(in: fleet, token: token)
                    isIn = true
                } catch let fault as Fault {
                    guard fault.code == .unavailable, ContinuousClock.now < end else { throw fault }
                }
            }
        }
    }

    @Test(
        "is full in the middle of a round lets it wait, and it ends when there is room again",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func fullMidRound() async throws {
        try await onSmallDisk { fleet, disk in
            let (admin, agents) = try await fleet.prepare(
                TinyPlan(selectionSeconds: 60, reportSeconds: 60), agents: 3)
            let job = try await admin.start("tiny")
            var assignments: [Assignment] = []
            for agent in agents { assignments.append(try await agent.assignment()) }
            try disk.fill(leaving: 0)
            // What cannot be stored is not accepted; the agent keeps it.
            let status = try? await agents[0].submit(
                assignments[0], try exampleUpdate(assignments[0]))
            #expect(status?.verdict != .accepted)
            #expect(try await storage(admin).ok == false)
            let waiting = try await admin.job(job.job)
            #expect(waiting.state == "running")
            try disk.empty()
            #expect(try await storage(admin).ok)
            for (agent, assignment) in zip(agents, assignments) {
                let agent = try await agent.reconnected()
                let status = try await agent.submit(assignment, try exampleUpdate(assignment))
                #expect(status.verdict == .accepted)
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished", "\(ended.detail)")
            #expect(try await admin.latestModel(of: "tiny").model?.version == 1)
        }
    }

    @Test(
        "is full when a round is to be sealed charges once, draws once and publishes once",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func fullAtSealing() async throws {
        try await onSmallDisk { fleet, disk in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            for agent in agents.dropLast() {
                let assignment = try await agent.assignment()
                _ = try await agent.submit(assignment, try exampleUpdate(assignment))
            }
            let last = try await agents[2].assignment()
            // The round closes with the last agent; nothing of its end can be written.
            try disk.fill(leaving: 0)
            try? await agents[2].decline(last)
            try await waitUntil { try await storage(admin).ok == false }
            #expect(try await admin.job(job.job).state == "running")
            try disk.empty()
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished", "\(ended.detail)")
            guard
                case .ledger(let ledger) = try await admin.ask(
                    .ledgerShow(LedgerShow(plan: "tiny")))
            else { throw Fault(.internal, "not a ledger") }
            #expect(ledger.total == 1)
            #expect(try await admin.models(of: "tiny").compactMap { $0.model?.version } == [0, 1])
        }
    }

    @Test(
        "turns read-only while it serves waits for it, and accepts nothing meanwhile",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func readOnlyMeanwhile() async throws {
        try await onSmallDisk { fleet, disk in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            var assignments: [Assignment] = []
            for agent in agents { assignments.append(try await agent.assignment()) }
            // Where files are open for writing, the kernel refuses to.
            try disk.cover("blobs")
            let line = try await storage(admin)
            #expect(!line.ok && line.detail.contains("read-only"))
            let refused = await refusal { _ = try await admin.start("tiny") }
            #expect(refused?.code == .storage)
            let status = try await agents[0].submit(
                assignments[0], try exampleUpdate(assignments[0]))
            #expect(status.verdict == .later && status.retrySeconds > 0)
            disk.uncover("blobs")
            #expect(try await storage(admin).ok)
            for (agent, assignment) in zip(agents, assignments) {
                let status = try await agent.submit(assignment, try exampleUpdate(assignment))
                #expect(status.verdict == .accepted)
            }
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test(
        "is mounted read-only does not start and says so; it starts when it is writable again",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"))
    func readOnly() async throws {
        try await FleetUnderTest.inTurn { directory in
            let disk = try SmallDisk(directory.file("state"), mebibytes: 24)
            defer { disk.unmount() }
            try await FleetUnderTest.initialise(directory)
            try disk.remount("ro")
            let fault = await refusal {
                try await FleetUnderTest.serve(directory) { _ in }
            }
            #expect(fault?.code == .storage)
            #expect(fault?.message.contains("Read-only") == true, "\(String(describing: fault))")
            let checks = try StateDirectory(path: directory.file("state")).localChecks()
            #expect(
                checks.contains { $0.check == "disk" && !$0.ok && $0.detail.contains("read-only") })
            try disk.remount("rw")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                #expect(try await storage(admin).ok)
            }
        }
    }

    @Test(
        "is full at the start serves as far as it can, or says why not; it goes on when there is room",
        .enabled(if: SmallDisk.canMount, "only root may mount a file system"),
        arguments: [0, 2])
    func fullAtStart(free: Int) async throws {
        try await FleetUnderTest.inTurn { directory in
            let disk = try SmallDisk(directory.file("state"), mebibytes: 24)
            defer { disk.unmount() }
            try await FleetUnderTest.initialise(directory, minFreeMiB: 8)
            try await FleetUnderTest.serve(directory) { fleet in
                _ = try await fleet.prepare(TinyPlan(), agents: 0)
            }
            try disk.fill(leaving: free)
            do {
                try await FleetUnderTest.serve(directory) { fleet in
                    let admin = try await fleet.admin()
                    #expect(try await storage(admin).ok == false)
                    try disk.empty()
                    #expect(try await storage(admin).ok)
                    _ = try await admin.start("tiny")
                }
            } catch let fault as Fault {
                // With nothing free at all it depends on the room that its own files have left.
                #expect(free == 0 && fault.code == .storage, "\(fault)")
                try disk.empty()
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                #expect(try await storage(admin).ok)
                #expect(try await admin.plan("tiny").state == "ready")
            }
        }
    }

    /// Waits until `isReached`, for at most a minute.
    private func waitUntil(_ isReached: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await isReached() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("it was not reached within a minute")
    }
}

/// A small file system in memory.
struct SmallDisk {
    private let path: String

    /// Whether this process may mount one.
    static let canMount: Bool = {
        let path = NSTemporaryDirectory() + "tributary-mount-\(UUID().uuidString)"
        guard let disk = try? SmallDisk(path, mebibytes: 1) else { return false }
        disk.unmount()
        rmdir(path)
        return true
    }()

    init(_ path: String, mebibytes: Int) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0,
            mount("tmpfs", path, "tmpfs", 0, "size=\(mebibytes)m,mode=700") == 0
        else {
            let cause = String(cString: strerror(errno))
            rmdir(path)
            throw Fault(.storage, "cannot mount a file system: \(cause)")
        }
    }

    func remount(_ mode: String) throws {
        let flags = UInt(MS_REMOUNT) | (mode == "ro" ? UInt(MS_RDONLY) : 0)
        let end = ContinuousClock.now + .seconds(20)
        while mount("tmpfs", path, "tmpfs", flags, nil) != 0 {
            // Between fork and exec, a program that another test starts has all files open that this process has.
            guard errno == EBUSY, ContinuousClock.now < end else {
                throw Fault(.storage, "cannot remount: \(String(cString: strerror(errno)))")
            }
            usleep(20_000)
        }
    }

    /// Makes a folder of it read-only.
    func cover(_ folder: String) throws {
        let folder = path + "/" + folder
        let readOnly = UInt(MS_BIND) | UInt(MS_REMOUNT) | UInt(MS_RDONLY)
        guard mount(folder, folder, nil, UInt(MS_BIND), nil) == 0,
            mount(nil, folder, nil, readOnly, nil) == 0
        else { throw Fault(.storage, "cannot cover: \(String(cString: strerror(errno)))") }
    }

    func uncover(_ folder: String) { umount2(path + "/" + folder, 0) }

    func unmount() { umount2(path, Int32(MNT_DETACH)) }

    /// Writes a file until only so many MiB are free.
    func fill(leaving mebibytes: Int) throws {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while try free() > mebibytes << 20 {
            guard write(file, block, block.count) == block.count else { return }
        }
    }

    /// Removes what `fill` has written.
    func empty() throws {
        guard unlink(path + "/filler") == 0 else { throw Fault(.storage, "there is no filler") }
    }

    private func free() throws -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw Fault(.storage, "no file system") }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}
