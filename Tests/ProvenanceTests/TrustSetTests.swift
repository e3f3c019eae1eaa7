import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Trust sets")
struct TrustSetTests {
    private let authority: Certificate
    private let modelKey: PrivateKey
    private let nextKey: PrivateKey
    private let log: LogKey

    init() throws {
        authority = try CertificateAuthority.create(fleet: "north", nowUnix: 1_800_000_000)
            .certificate
        modelKey = try PrivateKey.generate(.p256)
        nextKey = try PrivateKey.generate(.p256)
        log = try LogKey(
            name: "tributary/north", key: try PrivateKey.generate(.ed25519).publicKey)
    }

    private func initial(fleet: String = "north", key: PrivateKey? = nil) throws -> TrustSet {
        let key = key ?? modelKey
        return try TrustSet.initial(
            fleet: fleet, authorities: [authority], modelKeys: [entry(key)], log: log,
            signedBy: key)
    }

    /// `key` as a set lists it.
    private func entry(
        _ key: PrivateKey, from: UInt64 = 1, until: UInt64? = nil, revoked: UInt64? = nil
    ) -> TrustSet.ModelKey {
        TrustSet.ModelKey(key: key.publicKey, from: from, until: until, revokedUnix: revoked)
    }

    /// The set after `set`, with `nextKey` for models, signed by the keys given.
    private func rotated(_ set: TrustSet, _ keys: [PrivateKey]) throws -> TrustSet {
        try set.successor(
            authorities: [authority],
            modelKeys: [entry(modelKey, until: 40), entry(nextKey, from: 39)], log: log,
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
        let names = ["authorities", "fleet", "log", "modelKeys", "version"]
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
        #expect(taken.publicModelKeys == [modelKey.publicKey, nextKey.publicKey])
        #expect(taken.activeModelKeys == [nextKey.publicKey])
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
            authorities: [authority], modelKeys: [entry(stranger)], log: log,
            signedBy: [stranger])
        let fault = #expect(throws: Fault.self) { try first.replaced(by: theirs.document) }
        #expect(fault?.message.contains("none of the keys trusted so far signed it") == true)
    }

    @Test("of the same keys but another fleet do not replace each other")
    func otherFleet() throws {
        let north = try initial()
        let south = try initial(fleet: "south").successor(
            authorities: [authority], modelKeys: [entry(modelKey)], log: log,
            signedBy: [modelKey])
        let fault = #expect(throws: Fault.self) { try north.replaced(by: south.document) }
        #expect(fault?.message.contains("south") == true)
    }

    @Test("hold the part of the log in which each key counts")
    func validity() throws {
        let first = try initial()
        let set = try first.successor(
            authorities: [authority],
            modelKeys: [
                entry(modelKey, from: 1, until: 7, revoked: 1_800_000_000),
                entry(nextKey, from: 9),
            ], log: log, signedBy: [modelKey, nextKey])
        let read = try TrustSet(document: set.document)
        #expect(read.modelKeys == set.modelKeys)
        let (old, new) = (read.modelKeys[0], read.modelKeys[1])
        #expect(old.revokedUnix == 1_800_000_000 && new.revokedUnix == nil)
        #expect((0..<12).filter { old.isValid(at: $0) } == [2, 3, 4, 5, 6])
        #expect((0..<12).filter { new.isValid(at: $0) } == [10, 11])
    }

    @Test("may use P-384 for models")
    func p384() throws {
        let key = try PrivateKey.generate(.p384)
        let set = try initial(key: key)
        #expect(try TrustSet(document: set.document).publicModelKeys == [key.publicKey])
    }

    @Test("are not signed by a retired key, neither the next one nor themselves")
    func retiredSigner() throws {
        let first = try initial()
        let second = try rotated(first, [modelKey, nextKey])
        // The old key leads to no third set, not even together with one that is new in it.
        let thief = try PrivateKey.generate(.p256)
        #expect(throws: Fault.self) {
            try second.successor(
                authorities: [authority], modelKeys: [entry(thief, from: 50)], log: log,
                signedBy: [modelKey, thief])
        }
        let theirs = try first.successor(
            authorities: [authority], modelKeys: [entry(thief, from: 50)], log: log,
            signedBy: [modelKey, thief]
        ).successor(
            authorities: [authority], modelKeys: [entry(thief, from: 50)], log: log,
            signedBy: [thief])
        #expect(theirs.version == 3)
        let fault = #expect(throws: Fault.self) { try second.replaced(by: theirs.document) }
        #expect(fault?.message.contains("none of the keys trusted so far signed it") == true)
    }

    @Test("never give a retired key back what it lost")
    func comeback() throws {
        let second = try rotated(initial(), [modelKey, nextKey])
        for until in [nil, 41] as [UInt64?] {
            let fault = #expect(throws: Fault.self) {
                try second.successor(
                    authorities: [authority],
                    modelKeys: [entry(modelKey, until: until), entry(nextKey, from: 39)],
                    log: log, signedBy: [nextKey])
            }
            #expect(fault?.message.contains("a retired key cannot come back") == true)
        }
        let earlier = try second.successor(
            authorities: [authority],
            modelKeys: [entry(modelKey, until: 20, revoked: 7), entry(nextKey, from: 39)],
            log: log, signedBy: [nextKey])
        #expect(try second.replaced(by: earlier.document) == earlier)
    }

    @Test("are not made without the keys that must sign, or from the wrong things")
    func unmakeable() throws {
        #expect(throws: Fault.self) {
            try TrustSet.initial(
                fleet: "north", authorities: [authority], modelKeys: [entry(modelKey)], log: log,
                signedBy: nextKey)
        }
        let first = try initial()
        #expect(throws: Fault.self) { try rotated(first, [nextKey]) }
        #expect(throws: Fault.self) { try rotated(first, [modelKey]) }
        let ed25519 = try PrivateKey.generate(.ed25519)
        let many = try (0..<64).map { _ in entry(try PrivateKey.generate(.p256)) }
        let good = entry(modelKey)
        for (fleet, authorities, keys) in [
            ("North Pole", [authority], [good]), ("north", [], [good]),
            ("north", [authority], [good, entry(ed25519)]),
            ("north", [authority], [good, good]), ("north", [authority], [good] + many),
            ("north", Array(repeating: authority, count: 9), [good]),
            ("north", [authority], [entry(modelKey, until: 3)]),
            ("north", [authority], [entry(modelKey, from: 3, until: 2), entry(nextKey)]),
            ("north", [authority], [entry(modelKey, revoked: 3)]),
        ] {
            let fault = #expect(throws: Fault.self) {
                try TrustSet.initial(
                    fleet: fleet, authorities: authorities, modelKeys: keys, log: log,
                    signedBy: modelKey)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("with as much as they may hold are read again")
    func largest() throws {
        let authorities = try (0..<8).map { _ in
            try CertificateAuthority.create(
                fleet: String(repeating: "n", count: 64), nowUnix: 1_800_000_000
            ).certificate
        }
        let keys = try (0..<63).map { _ in
            TrustSet.ModelKey(
                key: try PrivateKey.generate(.p384).publicKey, from: 1 << 50, until: 1 << 51,
                revokedUnix: 1 << 40)
        }
        let set = try TrustSet.initial(
            fleet: "north", authorities: authorities, modelKeys: keys + [entry(modelKey)],
            log: log, signedBy: modelKey)
        #expect(try TrustSet(document: set.document) == set)
    }

    @Test("of an older Tributary are refused, and the fault says to enrol again")
    func older() throws {
        let text = String(decoding: try initial().document, as: UTF8.self).replacing(
            "trust-set.v2+json", with: "trust-set+json")
        let fault = #expect(throws: Fault.self) { try TrustSet(document: Array(text.utf8)) }
        #expect(fault?.code == .untrusted)
        #expect(fault?.remedy.contains("enrol again") == true)
    }

    @Test("read to the same content or not at all, whichever byte changes")
    func everyByte() throws {
        let set = try initial()
        for index in set.document.indices {
            var damaged = set.document
            damaged[index] ^= 1
            if let read = try? TrustSet(document: damaged) {
                #expect(read.authorities == set.authorities && read.modelKeys == set.modelKeys)
                #expect(read.log == set.log && read.version == 1 && read.fleet == "north")
            }
            #expect(throws: Fault.self) {
                try TrustSet(document: Array(set.document[..<index]))
            }
        }
    }

    @Test("a model's signature is not taken for one")
    func otherPayload() throws {
        let bundle = try ModelSignature.sign(
            name: "fashion-v3", files: [ModelFile(name: "a", digest: SHA256.digest(of: "b".utf8))],
            key: try PrivateKey.generate(.p256))
        let fault = #expect(throws: Fault.self) { try TrustSet(document: bundle) }
        #expect(fault?.code == .untrusted)
    }
}
