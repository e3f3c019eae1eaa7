import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("Trust sets")
struct TrustSetTests {
    private let authority: Certificate
    private let modelKey: PrivateKey
    private let nextKey: PrivateKey
    private let logKey: PublicKey

    init() throws {
        authority = try CertificateAuthority.create(fleet: "north", nowUnix: 1_800_000_000)
            .certificate
        modelKey = try PrivateKey.generate(.p256)
        nextKey = try PrivateKey.generate(.p256)
        logKey = try PrivateKey.generate(.ed25519).publicKey
    }

    private func initial(fleet: String = "north", key: PrivateKey? = nil) throws -> TrustSet {
        let key = key ?? modelKey
        return try TrustSet.initial(
            fleet: fleet, authorities: [authority], modelKeys: [key.publicKey], logKey: logKey,
            signedBy: key)
    }

    /// The set after `set`, with `nextKey` for models, signed by the keys given.
    private func rotated(_ set: TrustSet, _ keys: [PrivateKey]) throws -> TrustSet {
        try set.successor(
            authorities: [authority], modelKeys: [nextKey.publicKey], logKey: logKey,
            signedBy: keys)
    }

    @Test("read back as they were made")
    func roundTrip() throws {
        let set = try initial()
        #expect(set.version == 1)
        #expect(try TrustSet(document: set.document) == set)
    }

    @Test("hold their content as compact JSON with sorted members")
    func payload() throws {
        let envelope = try members(try initial().document)
        let payload = try #require(Data(base64Encoded: envelope["payload"] as? String ?? ""))
        let text = String(decoding: payload, as: UTF8.self)
        let names = ["authorities", "fleet", "logKey", "modelKeys", "version"]
        #expect(try members(Array(payload)).keys.sorted() == names)
        let places = try names.map { try #require(text.range(of: "\"\($0)\":")).lowerBound }
        #expect(places == places.sorted())
        #expect(!text.contains(": "))
    }

    @Test("are replaced by the next one that their own key signed")
    func rotation() throws {
        let first = try initial()
        let second = try rotated(first, [modelKey, nextKey])
        let taken = try first.replaced(by: second.document)
        #expect(taken == second)
        #expect(taken.version == 2)
        #expect(taken.modelKeys == [nextKey.publicKey])
        // It can be stored and read again though the first set's key is not in it.
        #expect(try TrustSet(document: taken.document) == taken)
    }

    @Test(
        "are not replaced by an older or equal version, nor by one that a stranger signed"
    )
    func refused() throws {
        let first = try initial()
        let second = try rotated(first, [modelKey, nextKey])
        for (set, document) in [
            (second, first.document), (first, first.document),
            (first, try initial(key: nextKey).document),
            (second, try rotated(initial(fleet: "south"), [modelKey, nextKey]).document),
        ] {
            let fault = #expect(throws: Fault.self) { try set.replaced(by: document) }
            #expect(fault?.code == .untrusted)
        }
        let stranger = try PrivateKey.generate(.p256)
        let theirs = try initial(key: stranger).successor(
            authorities: [authority], modelKeys: [stranger.publicKey], logKey: logKey,
            signedBy: [stranger])
        let fault = #expect(throws: Fault.self) { try first.replaced(by: theirs.document) }
        #expect(fault?.message.contains("none of the keys trusted so far signed it") == true)
    }

    @Test("of the same keys but another fleet do not replace each other")
    func otherFleet() throws {
        let north = try initial()
        let south = try initial(fleet: "south").successor(
            authorities: [authority], modelKeys: [modelKey.publicKey], logKey: logKey,
            signedBy: [modelKey])
        let fault = #expect(throws: Fault.self) { try north.replaced(by: south.document) }
        #expect(fault?.message.contains("south") == true)
    }

    @Test("are not made without the keys that must sign, or from the wrong things")
    func unmakeable() throws {
        #expect(throws: Fault.self) {
            try TrustSet.initial(
                fleet: "north", authorities: [authority], modelKeys: [modelKey.publicKey],
                logKey: logKey, signedBy: nextKey)
        }
        let first = try initial()
        #expect(throws: Fault.self) { try rotated(first, [nextKey]) }
        #expect(throws: Fault.self) { try rotated(first, [modelKey]) }
        for (fleet, authorities, keys, log) in [
            ("North Pole", [authority], [modelKey.publicKey], logKey),
            ("north", [], [modelKey.publicKey], logKey),
            ("north", [authority], [modelKey.publicKey, logKey], logKey),
            ("north", [authority], [modelKey.publicKey], modelKey.publicKey),
        ] {
            let fault = #expect(throws: Fault.self) {
                try TrustSet.initial(
                    fleet: fleet, authorities: authorities, modelKeys: keys, logKey: log,
                    signedBy: modelKey)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("read to the same content or not at all, whichever byte changes")
    func everyByte() throws {
        let set = try initial()
        for index in set.document.indices {
            var damaged = set.document
            damaged[index] ^= 1
            if let read = try? TrustSet(document: damaged) {
                #expect(read.authorities == set.authorities && read.modelKeys == set.modelKeys)
                #expect(read.logKey == set.logKey && read.version == 1 && read.fleet == "north")
            }
            #expect(throws: Fault.self) {
                try TrustSet(document: Array(set.document[..<index]))
            }
        }
    }

    @Test("a model's signature is not taken for one")
    func otherPayload() throws {
        let model = try ModelDirectory(files: ["a": "b"])
        try model.sign()
        let bundle = try CredentialFile.read(model.signature)
        let fault = #expect(throws: Fault.self) { try TrustSet(document: bundle) }
        #expect(fault?.code == .untrusted)
    }
}
