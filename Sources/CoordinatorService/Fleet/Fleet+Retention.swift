import Federation
import Logging
import Registry

/// What is kept of older versions.
extension Fleet {
    /// Has the weights given up that a plan's `[retention]` does not keep, if it says so.
    func applyRetention(of id: PlanID) {
        guard plans[id]?.plan.retention.versions != nil else { return }
        inBackground { await self.collectVersions(of: id) }
    }

    /// What fails is tried again after the next version.
    private func collectVersions(of id: PlanID) async {
        // Nobody reads an older version's weights meanwhile, to publish them again.
        await beginChange(of: id)
        defer { endChange(of: id) }
        guard let newest = plans[id]?.plan.retention.versions, plans[id]?.serving != nil else {
            return
        }
        do throws(Fault) {
            let versions = try await registry.collectVersions(
                of: id, keeping: newest, nowUnix: clock.unixSeconds
            ) { version, model in
                FleetEvent(
                    .versionCollected,
                    [
                        ("plan", .text(id.name)), ("version", .number(version)),
                        ("model", .text(model.hex)),
                    ])
            }
            guard let first = versions.first, let last = versions.last else { return }
            for model in try await registry.models(id) where model.collectedUnix != nil {
                servedBlobs[model.modelDigest] = nil
            }
            log.info(
                "weights of older versions collected",
                metadata: ["plan": "\(id)", "first": "\(first)", "last": "\(last)"])
        } catch {
            log.warning(
                "older versions could not be collected",
                metadata: ["plan": "\(id)", "why": "\(error)"])
        }
    }

    /// Removes blobs that a crash left without a row.
    func collectOrphans() async {
        do throws(Fault) {
            let count = try await registry.collectOrphans()
            guard count > 0 else { return }
            log.notice("blobs without a row removed", metadata: ["count": "\(count)"])
        } catch {
            log.warning("blobs without a row stay", metadata: ["why": "\(error)"])
        }
    }
}
