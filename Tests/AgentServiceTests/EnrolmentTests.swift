import AgentService
import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("Enrolment")
struct EnrolmentTests {
    let temporary: TemporaryDirectory
    let directory: StateDirectory
    let clock = SystemClock()

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        try directory.prepare()
    }

    /// A token for a port on which nothing listens.
    private func token(expiresIn seconds: Int64 = 3_600) -> String {
        EnrolmentToken(
            address: NetworkAddress(host: "127.0.0.1", port: 1),
            authority: SHA256.digest(of: [1]), secret: [UInt8](repeating: 7, count: 32),
            expiresUnix: UInt64(Int64(clock.unixSeconds) + seconds)
        ).text
    }

    private func refusal(_ token: String, force: Bool = false) -> Fault? {
        fault { () throws(Fault) in
            _ = try Enrolment.enrol(directory, token: token, force: force, clock: clock)
        }
    }

    /// Stores an enrolment as a coordinator would have given it.
    private func store(keyFile: PrivateKey? = nil) throws {
        _ = try ExampleFleet().enrol(in: directory)
        if let keyFile { try temporary.write(Array(keyFile.pem().utf8), to: "state/agent.key") }
    }

    @Test("a device without a certificate is told to enrol")
    func notEnrolled() {
        let fault = fault { () throws(Fault) in _ = try Enrolment(directory) }
        #expect(fault?.code == .notFound)
        #expect(fault?.remedy.contains("tributary-agent enroll") == true)
    }

    @Test("a stored enrolment reads back")
    func reads() throws {
        try store()
        let enrolment = try Enrolment(directory)
        #expect(enrolment.agent == "agent-7")
        #expect(enrolment.coordinator == NetworkAddress(host: "127.0.0.1", port: 1))
        #expect(enrolment.trustSet.version == 1)
    }

    @Test("a key that is not the certificate's is noticed")
    func otherKey() throws {
        try store(keyFile: PrivateKey.generate(.p256))
        let fault = fault { () throws(Fault) in _ = try Enrolment(directory) }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("agent.key") == true)
    }

    @Test("files that are missing or damaged are named")
    func damaged() throws {
        try store()
        for file in ["trust-set.json", "coordinator", "agent.key"] {
            let whole = try temporary.contents("state/\(file)")
            try temporary.write(Array("?".utf8), to: "state/\(file)")
            #expect(fault { () throws(Fault) in _ = try Enrolment(directory) } != nil)
            try FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
            #expect(fault { () throws(Fault) in _ = try Enrolment(directory) } != nil)
            try temporary.write(whole, to: "state/\(file)")
        }
        #expect(fault { () throws(Fault) in _ = try Enrolment(directory) } == nil)
    }

    @Test("text that is no token is refused before anything is sent")
    func noToken() {
        #expect(refusal("hello")?.code == .invalid)
        #expect(refusal("")?.code == .invalid)
    }

    @Test("a token that expired more than a day ago is refused without asking")
    func expired() {
        let fault = refusal(token(expiresIn: -90_000))
        #expect(fault?.code == .unauthenticated)
        #expect(fault?.message.contains("expired") == true)
        #expect(fault?.remedy.contains("new token") == true)
    }

    @Test(
        "a token that expired within a day is the coordinator's to judge: this clock may be wrong")
    func tolerance() {
        #expect(refusal(token(expiresIn: -80_000))?.code == .unavailable)
    }

    @Test("a coordinator that cannot be reached is named, and nothing is stored")
    func unreachable() throws {
        let fault = refusal(token())
        #expect(fault?.code == .unavailable)
        #expect(fault?.message.contains("127.0.0.1:1") == true)
        #expect(!directory.isEnrolled)
    }

    @Test("an enrolment that exists is not replaced without force")
    func exists() throws {
        try store()
        let fault = refusal(token())
        #expect(fault?.code == .conflict)
        #expect(fault?.remedy.contains("--force") == true)
        #expect(refusal(token(), force: true)?.code == .unavailable)
        #expect(try Enrolment(directory).agent == "agent-7")
    }

    @Test("a directory in which a daemon works is not enrolled anew")
    func inUse() throws {
        let lock = try StateLock(directory)
        #expect(refusal(token(), force: true)?.code == .conflict)
        _ = consume lock
    }
}
