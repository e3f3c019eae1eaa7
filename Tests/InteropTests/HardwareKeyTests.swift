import Foundation
import Glibc
import Testing

extension InteropTests {
    @Suite("A model-signing key on a token")
    struct HardwareKeyTests {
        @Test("takes over through the configuration alone, and other tools believe its signature")
        func configured() async throws {
            let plan = ExamplePlan(name: "mills", format: .csv, agents: 1)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let token = try await SoftToken(in: fleet.directory)
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let before = try text(
                    of: fleet.coordinatorDirectory.appending(path: "coordinator.toml"))
                try await restart(fleet, configuration: before + token.configuration)
                let keys = try await fleet.attempt(["key", "list"]).succeeded()
                let listed: [KeyAnswer] = try decoded(keys.output)
                #expect(
                    listed.filter { $0.use == "model-signing" }.map(\.state)
                        == ["retired", "active"])
                let job: JobAnswer = try await fleet.administer([
                    "round", "start", plan.name, "--watch",
                ])
                #expect(job.state == "finished")
                for version in [0, 1] as [UInt64] {
                    try await expectVerified(try await fleet.export(plan, version: version))
                }
                // The device was enrolled before: it took the new key because the old one signed it in.
                try await wait(for: "the agent adopts version 1, see \(agent.log.path)") {
                    try text(of: agent.log).contains("model adopted plan=mills version=1")
                }
                #expect(!(try text(of: fleet.coordinatorLog)).contains(SoftToken.pin))

                // A second start finds nothing to do.
                try await restart(fleet, configuration: before + token.configuration)
                let again = try await fleet.attempt(["key", "list"]).succeeded()
                #expect(again.output == keys.output)

                // And back: the token signs in the next one.
                let other = fleet.directory.appending(path: "other.key").path
                _ = try await run(
                    URL(filePath: "/usr/bin/openssl"),
                    [
                        "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384",
                        "-out", other,
                    ]
                ).succeeded()
                try await restart(
                    fleet, configuration: before + "\n[keys]\nmodel_signing = \"\(other)\"\n")
                _ = try await fleet.attempt([
                    "model", "republish", plan.name, "--version", "0",
                ]).succeeded()
                for version in 0...2 as ClosedRange<UInt64> {
                    try await expectVerified(try await fleet.export(plan, version: version))
                }
            }
        }

        @Test("that cannot be used keeps the coordinator from starting, and it says why")
        func unusable() async throws {
            try await withTemporaryDirectory { directory in
                let fleet = ExampleFleet(in: directory, plans: [])
                try await fleet.initialise(port: unusedPort())
                let token = try await SoftToken(in: directory)
                let file = fleet.coordinatorDirectory.appending(path: "coordinator.toml")
                let before = try text(of: file)
                for (change, words) in [
                    (("object=models", "object=nothing"), "no token holds the private key"),
                    (("pin_file", "# pin_file"), "there is no PIN"),
                    ((SoftToken.module, "/no/module.so"), "there is no PKCS#11 module"),
                    ((token.pinFile.path, "/no/pin"), "/no/pin does not exist"),
                ] {
                    let keys = token.configuration.replacingOccurrences(
                        of: change.0, with: change.1)
                    try Data((before + keys).utf8).write(to: file)
                    let served = try await fleet.attempt(["serve"])
                    #expect(served.status == 1 && served.errors.contains(words), "\(served)")
                    #expect(!served.words.contains(SoftToken.pin))
                }
                try Data((before + token.configuration).utf8).write(to: file)
                let engineless = try await run(
                    .coordinator, "serve", "--dir", fleet.coordinatorDirectory.path,
                    environment: ["OPENSSL_ENGINES": directory.path])
                #expect(engineless.status == 1, "\(engineless)")
                #expect(engineless.errors.contains("install libengine-pkcs11-openssl"))
            }
        }

        private func restart(_ fleet: ExampleFleet, configuration: String) async throws {
            try await fleet.process().stop()
            try Data(configuration.utf8).write(
                to: fleet.coordinatorDirectory.appending(path: "coordinator.toml"))
            try await fleet.serve()
        }

        /// model_signing and tributary-verify both believe an exported version.
        private func expectVerified(_ export: ExportAnswer) async throws {
            let ours = try await run(.verifier, "model", export.modelDir, "--trust", export.trust)
            #expect(ours.status == 0, "\(ours)")
            let theirs = try await run(
                Checkout.venv("model_signing"),
                [
                    "verify", "key", "--no-ignore-git-paths", "--signature", export.signature,
                    "--public_key", export.publicKey, export.modelDir,
                ])
            #expect(theirs.status == 0, "\(theirs)")
        }
    }
}

/// A line of `key list --json`.
struct KeyAnswer: Decodable {
    let use: String
    let key: String
    let curve: String
    let state: String
    let until: UInt64?
}

/// A softhsm2 token that holds a P-256 key, as `[keys]` names it.
private struct SoftToken {
    static let module = "/usr/lib/softhsm/libsofthsm2.so"
    static let pin = "864209"

    let pinFile: URL

    init(in directory: URL) async throws {
        pinFile = directory.appending(path: "pin")
        try Data("\(SoftToken.pin)\n".utf8).write(to: pinFile)
        let tokens = directory.appending(path: "tokens")
        try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: false)
        let configuration = directory.appending(path: "softhsm2.conf")
        try Data("directories.tokendir = \(tokens.path)\nlog.level = ERROR\n".utf8)
            .write(to: configuration)
        // For the coordinator too, which inherits it.
        setenv("SOFTHSM2_CONF", configuration.path, 1)
        _ = try await run(
            SoftToken.tool("softhsm2-util"),
            [
                "--init-token", "--free", "--label", "fleet", "--so-pin", "0000", "--pin",
                SoftToken.pin,
            ]
        ).succeeded()
        _ = try await run(
            SoftToken.tool("pkcs11-tool"),
            [
                "--module", SoftToken.module, "--token-label", "fleet", "--login", "--pin",
                SoftToken.pin, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01",
                "--label", "models",
            ]
        ).succeeded()
    }

    var configuration: String {
        """

        [keys]
        model_signing = "pkcs11:token=fleet;object=models;type=private?module-path=\(Self.module)"
        pin_file = "\(pinFile.path)"

        """
    }

    private static func tool(_ name: String) throws -> URL {
        let program = URL(filePath: "/usr/bin/\(name)")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Missing(what: program.path, command: "make deps")
        }
        return program
    }
}
