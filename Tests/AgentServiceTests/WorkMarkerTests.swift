import AgentService
import AgentSession
import Cryptography
import Federation
import Foundation
import Testing
import Wire

@Suite("The assignment at hand")
struct WorkMarkerTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var file: String { "\(directory.path)/assignment" }

    static var assignment: Assignment {
        let lattice = Lattice(
            parameters: 1_000, clippingNorm: 1, step: 0.001, kappa: 6, rotationSeed: 9)
        let digest = SHA256.digest(of: lattice.canonicalBytes)
        return Assignment(
            plan: "pumps", planDigest: digest.bytes, round: 7, attempt: 2,
            baseModel: ModelRef(
                plan: "pumps", version: 3, modelDigest: digest.bytes, modelSize: 10,
                signatureDigest: digest.bytes, signatureSize: 20),
            lattice: LatticeSpec(lattice, id: digest), reportSeconds: 60, leaseSeconds: 10,
            submitToken: [1, 2, 3])
    }

    @Test("it is there after a kill, for this user only, until it is cleared")
    func survives() throws {
        var marker = WorkMarker(file: file)
        #expect(marker.assignment == nil)
        try marker.set(Self.assignment)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        #expect(mode as? Int == 0o600)

        var restarted = WorkMarker(file: file)
        let found = try #require(restarted.assignment)
        #expect(found == marker.assignment)
        #expect(found.at == RoundAttempt(round: RoundID(7), attempt: 2))
        #expect(found.submitToken == [1, 2, 3])
        restarted.clear()
        #expect(restarted.assignment == nil)
        #expect(WorkMarker(file: file).assignment == nil)
    }

    @Test("one that is cut short, or something else, counts as none")
    func damaged() throws {
        var marker = WorkMarker(file: file)
        try marker.set(Self.assignment)
        let whole = try Array(Data(contentsOf: URL(filePath: file)))
        for bytes in [
            [], Array(whole.prefix(4)), Array(whole.dropLast()),
            try Message.checkInResponse(CheckInResponse(next: .comeBackSeconds(1))).encoded(),
            Array("garbage".utf8),
        ] {
            try directory.write(bytes, to: "assignment")
            #expect(WorkMarker(file: file).assignment == nil, "\(bytes.count) bytes")
        }
    }
}
