import Federation
import Hummingbird
import ServiceLifecycle

/// The part of a page that changes by itself, sent to a browser whenever it did (server-sent events).
struct LivePart: Sendable {
    let site: Site
    /// Makes the page as it is now.
    let make: @Sendable () async throws(Fault) -> Page

    /// The least time between two versions, in seconds: what changes faster is not read.
    private static let leastSeconds = 0.5
    /// After so many seconds it is made anew though nothing was told: times on it grow old.
    private static let mostSeconds = 5.0
    /// A browser comes again by itself after that; it bounds what one that vanished holds.
    private static let versions = 600

    func response() -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                var sent: Version?
                for _ in 0..<Self.versions {
                    let revision = site.fleet.revision
                    let version = await version()
                    try await writer.write(ByteBuffer(string: version.events(after: sent)))
                    sent = version
                    guard await waits(after: revision) else { break }
                }
                try await writer.finish(nil)
            })
    }

    /// Returns when another version may be due; false when the coordinator stops, which must not wait for readers.
    private func waits(after revision: UInt64) async -> Bool {
        do {
            return try await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .seconds(Self.leastSeconds))
                await site.fleet.wait(after: revision, seconds: Self.mostSeconds)
                return !Task.isCancelled
            }
        } catch {
            return false
        }
    }

    /// What the page says now; a page that cannot be made says why.
    private func version() async -> Version {
        let page: Page
        do throws(Fault) { page = try await make() } catch { page = site.problem(error) }
        return Version(body: site.writer.body(page), announcement: page.announcement)
    }

    private struct Version {
        let body: String
        let announcement: String

        /// The events that bring a browser from `sent` to this; a comment when nothing changed, which shows whether it is
        /// still there.
        func events(after sent: Version?) -> String {
            var text = ""
            if body != sent?.body { text += LivePart.event("page", body) }
            // The first is no news: whoever opens a page reads it.
            if let sent, announcement != sent.announcement {
                text += LivePart.event("say", announcement)
            }
            return text.isEmpty ? ": nothing new\n\n" : text
        }
    }

    /// One server-sent event; each line of its text stands in a field of its own.
    private static func event(_ name: String, _ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return "event: \(name)\n" + lines.map { "data: \($0)\n" }.joined() + "\n"
    }
}
