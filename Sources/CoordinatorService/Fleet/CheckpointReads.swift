import Federation
import Provenance
import Registry

/// Reads of the log's newest checkpoint that wait for one another. It lives inside the fleet actor.
struct CheckpointReads {
    typealias Answer = CheckedContinuation<Result<SignedCheckpoint, Fault>, Never>

    fileprivate var isReading = false
    /// Those that came while one was under way, which may have begun before what they want to see.
    fileprivate var waiting: [Answer] = []
}

extension Fleet {
    /// The newest checkpoint of the log. Answers that are asked for together, as when a version was published and every
    /// agent is told, share one read.
    func newestCheckpoint() async throws(Fault) -> SignedCheckpoint {
        guard !checkpointReads.isReading else {
            let result = await withCheckedContinuation { checkpointReads.waiting.append($0) }
            return try result.get()
        }
        checkpointReads.isReading = true
        let result = await readCheckpoint()
        serveWaiting()
        return try result.get()
    }

    private func readCheckpoint() async -> Result<SignedCheckpoint, Fault> {
        do throws(Fault) { return .success(try await registry.checkpoint()) } catch {
            return .failure(error)
        }
    }

    private func serveWaiting() {
        let waiting = checkpointReads.waiting
        checkpointReads.waiting = []
        guard !waiting.isEmpty else {
            checkpointReads.isReading = false
            return
        }
        inBackground {
            let result = await self.readCheckpoint()
            for answer in waiting { answer.resume(returning: result) }
            await self.serveWaiting()
        }
    }
}
