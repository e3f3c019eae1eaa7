import Configuration
import Federation
import Testing

@Suite struct CoordinatorConfigurationTests {
    private static let everyKeyText = """
        [server]
        listen = "::1"
        port = 0
        addresses = ["fleet.example.org", "192.0.2.7", "2001:db8::7"]
        [log]
        level = "warning"
        format = "json"
        [check_in]
        wait_seconds = 5
        come_back_seconds = 7
        [keys]
        model_signing = "pkcs11:object=models"
        passphrase_file = "passphrase"
        pin_file = "/etc/pin"
        signature = "certificate"
        [certificates]
        device_days = 0.5
        [limits]
        connections = 9
        connections_per_address = 8
        handshakes_per_second = 70
        handshakes_per_second_per_address = 60
        handshake_seconds = 5
        stalled_seconds = 4
        idle_seconds = 3
        uploads_in_flight_mib = 0
        buffers_mib = 11
        [storage]
        min_free_mib = 12
        [http]
        listen = "0.0.0.0"
        port = 8080
        [data.tiny]
        public = "public"
        test = "/srv/test"
        """

    @Test("every key arrives where it belongs")
    func everyKey() throws {
        let coordinator = try parse(Self.everyKeyText)
        #expect(coordinator.listen == "::1")
        #expect(coordinator.port == 0)
        #expect(coordinator.addresses == ["fleet.example.org", "192.0.2.7", "2001:db8::7"])
        #expect(coordinator.logLevel == "warning")
        #expect(coordinator.logFormat == "json")
        #expect(coordinator.checkInWaitSeconds == 5)
        #expect(coordinator.comeBackSeconds == 7)
        #expect(
            coordinator.keys
                == CoordinatorKeys(
                    modelSigning: "pkcs11:object=models",
                    passphraseFile: "/srv/fleet/passphrase", pinFile: "/etc/pin",
                    signature: .certificate))
        #expect(coordinator.deviceDays == 0.5)
        var limits = CoordinatorLimits()
        limits.connections = 9
        limits.connectionsPerAddress = 8
        limits.handshakesPerSecond = 70
        limits.handshakesPerSecondPerAddress = 60
        limits.handshakeSeconds = 5
        limits.stalledSeconds = 4
        limits.idleSeconds = 3
        limits.uploadsInFlightMiB = 0
        limits.buffersMiB = 11
        #expect(coordinator.limits == limits)
        #expect(coordinator.minFreeMiB == 12)
        #expect(coordinator.http == .init(listen: "0.0.0.0", port: 8080))
        let tiny = try #require(PlanID("tiny"))
        let data = try #require(coordinator.data[tiny])
        #expect(data.publicDirectory == "/srv/fleet/public")
        #expect(data.testDirectory == "/srv/test")
    }

    @Test("absent keys take their documented defaults")
    func defaults() throws {
        let coordinator = try parse("[server]\naddresses = [\"localhost\"]")
        #expect(coordinator.listen == "0.0.0.0")
        #expect(coordinator.port == 7443)
        #expect(coordinator.logLevel == "info")
        #expect(coordinator.checkInWaitSeconds == 30)
        #expect(coordinator.comeBackSeconds == 60)
        #expect(coordinator.limits == CoordinatorLimits())
        #expect(coordinator.deviceDays == 90)
        #expect(coordinator.minFreeMiB == 256)
        #expect(coordinator.http == nil)
        #expect(
            coordinator.keys
                == CoordinatorKeys(modelSigning: "/srv/fleet/keys/model-signing.key"))
        #expect(coordinator.data.isEmpty)
    }

    @Test("an empty [http] serves the log on this machine only")
    func httpDefaults() throws {
        let coordinator = try parse("[server]\naddresses = [\"localhost\"]\n[http]")
        #expect(coordinator.http == .init(listen: "127.0.0.1", port: 7480))
    }

    @Test(
        "a mistake is refused with its line, its column and what may be written",
        arguments: [
            ("", "1:1: there is no [server]; write a table [server]"),
            (
                "[server]",
                "1:1: [server] has no addresses; write an array of 1 to 64 addresses"
            ),
            (
                "[server]\naddresses = []",
                "2:13: addresses in [server] has 0 items; write an array of 1 to 64 addresses"
            ),
            (
                "[server]\naddresses = \"localhost\"",
                "2:13: addresses in [server] is text; write an array of 1 to 64 addresses"
            ),
            (
                "[server]\naddresses = [\"a\", \"localhost:7443\"]",
                #"2:19: addresses in [server] is "localhost:7443"; "#
                    + "write a host name or an IP address, without a port"
            ),
            (
                "[server]\naddresses = [\"a\"]\nlisten = \"all of them\"",
                #"3:10: listen in [server] is "all of them"; "#
                    + "write a host name or an IP address, without a port"
            ),
            (
                "[server]\naddresses = [\"a\"]\nport = 65536",
                "3:8: port in [server] is 65536; write a whole number from 0 to 65535"
            ),
            (
                "[server]\naddresses = [\"a\"]\nprot = 1",
                "3:1: unknown key 'prot' in [server]; did you mean 'port'?"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[checkin]",
                "3:2: unknown key 'checkin' at the top level; did you mean 'check_in'?"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[check_in]\nwait_seconds = 301",
                "4:16: wait_seconds in [check_in] is 301; write a whole number from 0 to 300"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[check_in]\ncome_back_seconds = 0",
                "4:21: come_back_seconds in [check_in] is 0; write a whole number from 1 to 86400"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[keys]\nmodel_signing = \"\"",
                #"4:17: model_signing in [keys] is ""; "#
                    + "write the path of a key file or a PKCS#11 URI"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[keys]\nsignature = \"both\"",
                #"4:13: signature in [keys] is "both"; write one of "key", "certificate""#
            ),
            (
                "[server]\naddresses = [\"a\"]\n[keys]\npin_file = 1234",
                "4:12: pin_file in [keys] is a whole number; write the path of a file"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[certificates]\ndevice_days = 0",
                "4:15: device_days in [certificates] is 0; write a number from 0.0001 to 825"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[http]\nport = -1",
                "4:8: port in [http] is -1; write a whole number from 0 to 65535"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[http]\nlisten = \"http://a\"",
                #"4:10: listen in [http] is "http://a"; "#
                    + "write a host name or an IP address, without a port"
            ),
            (
                "[server]\naddresses = [\"a\"]\n[log]\nlevel = 3",
                #"4:9: level in [log] is a whole number; write one of "trace", "debug", "info", "#
                    + #""notice", "warning", "error", "critical""#
            ),
            (
                "[server]\naddresses = [\"a\"]\n[data.tiny]\npublic = \"x\"",
                "3:1: [data.tiny] has no test; write the path of a directory"
            ),
        ])
    func mistakes(text: String, message: String) {
        let fault = #expect(throws: Fault.self) { try parse(text) }
        #expect(fault?.description == "/srv/fleet/coordinator.toml:" + message)
    }

    private func parse(_ text: String) throws -> CoordinatorConfiguration {
        try CoordinatorConfiguration.parse(
            Array(text.utf8), file: "/srv/fleet/coordinator.toml")
    }
}
