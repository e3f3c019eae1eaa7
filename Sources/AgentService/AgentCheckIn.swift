import AgentSession
import Cryptography
import DataSets
import Federation
import Glibc
import Kernels
import Logging
import Provenance
import Wire

// Checking in, and what follows from the answer: blobs, trust sets, plans, models.

extension Agent {
    /// Says what this device has, and waits for what to do.
    mutating func checkIn(waitSeconds: UInt32) throws(Setback) -> CheckInAnswer {
        for index in plans.indices {
            plans[index].openData()
            reportData(index)
        }
        lookAtOwner()
        // An update that a later attempt may want costs nothing more; new work is looked at before it is begun.
        status.unavailable =
            isAwaitingAttempt && conditions.pause == nil
            ? nil
            : conditions.refusal(
                with: marker.assignment,
                plannedMiB: plans.filter { $0.examples > 0 }.map(\.plannedMiB).max() ?? 0)?
                .description
        isAwaitingAttempt = false
        report(restingState)
        let request = CheckInRequest(
            agentVersion: softwareVersion, cpuFeatures: CPU.features, memoryKib: memoryKib(),
            plans: plans.map { $0.readiness(version: models.version(of: $0.id)) },
            cached: blobs.held.prefix(WireLimits.cachedBlobs).map(\.bytes),
            logCheckpoint: kept?.note ?? [], trustSetVersion: enrolment.trustSet.version,
            waitSeconds: waitSeconds, unavailable: status.unavailable ?? "")
        let answer = try link.exchange(
            .checkInRequest(request), waitSeconds: Double(waitSeconds), isLean: &isLean)
        guard case .checkInResponse(let response) = answer else { throw link.unexpected() }
        var checkedIn: CheckInAnswer
        do throws(Fault) {
            try checkLog(response)
            checkedIn = try CheckInAnswer(response)
        } catch { throw .connection(error) }
        checkedIn.renewalIsDue = renewalIsDue
        checkedIn.unavailable = status.unavailable
        checkedIn.networkRefusal = conditions.networkRefusal()?.description
        mark(response.next, waited: waitSeconds > 0)
        recover()
        noteUnknownPlans(checkedIn)
        dropUnwanted(checkedIn)
        return checkedIn
    }

    /// Notes the assignment at hand on disk before anything is done for it.
    ///
    /// - Parameter waited: whether the coordinator was asked to wait for work: then it gives none any more to an agent that has
    ///   a place, and before that it may yet.
    private mutating func mark(_ next: CheckInResponse.Next?, waited: Bool) {
        guard case .assignment(let assignment) = next else {
            if waited { marker.clear() }
            return
        }
        do throws(Fault) { try marker.set(assignment) } catch {
            log.warning("cannot note the assignment at hand", error)
        }
    }

    /// Notes which plans with data the coordinator does not have, for the log, the status and the doctor.
    private mutating func noteUnknownPlans(_ answer: CheckInAnswer) {
        let texts = PlanTexts(directory: directory.planDirectory)
        let named = answer.plans.map(\.plan)
        for index in plans.indices {
            let unknown = UnknownPlan(plans[index].id, named: named)
            guard unknown == nil || unknown != plans[index].unknown else { continue }
            plans[index].unknown = unknown
            reportData(index)
            do throws(Fault) { try texts.note(unknown, of: plans[index].id) } catch {
                log.warning("cannot note that there is no such plan", error)
            }
        }
    }

    /// Frees the blobs that the coordinator no longer names.
    private mutating func dropUnwanted(_ answer: CheckInAnswer) {
        let followed = answer.plans.filter { standing in plans.contains { $0.id == standing.plan } }
        guard followed.count == plans.count else { return }
        var references = followed.map(\.text)
        var wanted = followed.compactMap(\.serving)
        if case .work(let assignment) = answer.next {
            references.append(assignment.planText)
            wanted.append(assignment.base)
        }
        references += wanted.flatMap { [$0.model, $0.signature] }
        let digests = Set(references.map(\.digest))
        blobs.prune(keeping: digests)
        intactBlobs.formIntersection(digests)
    }

    /// Fetches a blob unless it is in the cache, from where an earlier attempt stopped.
    mutating func obtain(_ blob: BlobReference) throws(Setback) {
        // What an earlier run left may be damaged; this one's is read whole once.
        if intactBlobs.contains(blob.digest) && blobs.holds(blob.digest)
            || blobs.holdsIntact(blob.digest)
        {
            intactBlobs.insert(blob.digest)
            return
        }
        report(.working)
        // Only a plan's text is named without its size.
        let limit = blob.size ?? UInt64(WireLimits.planTextBytes)
        while true {
            let offset = blobs.fetched(blob.digest)
            if offset == blob.size { break }
            let answer = try link.exchange(
                .blobRequest(BlobRequest(digest: blob.digest.bytes, offset: offset)))
            guard case .blobChunk(let chunk) = answer, chunk.digest == blob.digest.bytes,
                chunk.offset == offset, chunk.totalSize <= limit
            else { throw link.unexpected() }
            metrics.note { $0.receivedBytes += UInt64(chunk.data.count) }
            try locally { () throws(Fault) in
                try blobs.append(chunk.data, to: blob.digest, size: chunk.totalSize)
            }
            if offset + UInt64(chunk.data.count) == chunk.totalSize { break }
            guard !chunk.data.isEmpty else { throw link.unexpected() }
        }
        try locally { () throws(Fault) in try blobs.complete(blob.digest) }
        intactBlobs.insert(blob.digest)
    }

    /// Follows the chain of trust sets from the one held to the newest that the coordinator sent.
    ///
    /// - Returns: the version held then.
    mutating func updateTrustSet() throws(Setback) -> UInt64 {
        let answer = try link.exchange(
            .trustSetRequest(TrustSetRequest(afterVersion: enrolment.trustSet.version)))
        guard case .trustSetUpdate(let update) = answer else { throw link.unexpected() }
        try locally { () throws(Fault) in
            for document in update.sets {
                enrolment.trustSet = try enrolment.trustSet.replaced(by: document)
                try enrolment.storeTrustSet(in: directory)
            }
        }
        log.notice("trust set updated", metadata: ["version": "\(enrolment.trustSet.version)"])
        return enrolment.trustSet.version
    }

    /// Reads a plan's text and opens the data that it describes.
    ///
    /// - Returns: whether there is data to train on now.
    mutating func adopt(_ standing: PlanStanding) throws(Setback) -> Bool {
        let index = try place(of: standing.plan)
        let digest = standing.text.digest
        try locally { () throws(Fault) in
            let text = try blobs.read(digest)
            try plans[index].adopt(text, digest: digest)
            try PlanTexts(directory: directory.planDirectory).store(text, of: standing.plan)
        }
        reportData(index)
        var metadata: Logger.Metadata = ["plan": "\(standing.plan)"]
        if !plans[index].isPrivate { metadata["examples"] = "\(plans[index].examples)" }
        log.info("plan adopted", metadata: metadata)
        return plans[index].examples > 0
    }

    /// Logs the state of a plan's data when it is another than what was logged last.
    mutating func reportData(_ index: Int) {
        guard let news = plans[index].dataNews() else { return }
        let plan: Logger.Metadata = ["plan": "\(plans[index].id)"]
        switch news {
        case .unknown(let fault): log.warning("no such plan", fault, plan)
        case .withheld(let fault): log.warning("plan refused", fault, plan)
        case .missing(let fault): log.warning("no data", fault, plan)
        case .unreadable(let rows, let first):
            log.warning(
                "rows left out",
                metadata: plan.merging(["rows": "\(rows)", "first": "\(first)"]) { old, _ in old })
        case .whole: log.info("data is complete", metadata: plan)
        }
    }

    /// The place of a followed plan; the machine only names those.
    func place(of plan: PlanID) throws(Setback) -> Int {
        guard let index = plans.firstIndex(where: { $0.id == plan }) else {
            throw .local(
                Fault(
                    .notFound, "this device has no data for the plan '\(plan)'",
                    remedy: "add [data.\(plan)] to the agent's configuration"))
        }
        return index
    }

    private func memoryKib() -> UInt64 {
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE)))) / 1024
    }
}
