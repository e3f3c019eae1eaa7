import Foundation

/// `go/check_log.go`, built with Debian's packages: what an auditor with Go's own libraries sees.
struct LogAuditor {
    private static let go = URL(filePath: "/usr/bin/go")
    private static let packages = "/usr/share/gocode"
    private let program: URL

    /// Builds the program into `directory`, where the compiler keeps its cache too.
    init(builtIn directory: URL) async throws {
        for needed in [Self.go.path, "\(Self.packages)/src/golang.org/x/mod/sumdb/tlog"]
        where !FileManager.default.fileExists(atPath: needed) {
            throw Missing(what: needed, command: "make deps")
        }
        program = directory.appending(path: "check_log")
        let source = Checkout.root.appending(path: "Tests/InteropTests/go/check_log.go")
        _ = try await run(
            Self.go, ["build", "-o", program.path, source.path],
            environment: [
                "GO111MODULE": "off", "GOPATH": Self.packages,
                "GOCACHE": directory.appending(path: "cache").path,
            ], seconds: 240
        ).succeeded()
    }

    /// Checks a log's directory, its growth since a checkpoint's file, and proofs' files.
    ///
    /// - Returns: exit status 0 and lines of `ok`, or 1 and a line of `FAIL` for what is wrong.
    func check(
        vkey: String, log: URL, since: URL? = nil, proofs: [URL] = []
    ) async throws -> Finished {
        let growth = since.map { ["-since", $0.path] } ?? []
        return try await run(program, growth + [vkey, log.path] + proofs.map(\.path))
    }
}
