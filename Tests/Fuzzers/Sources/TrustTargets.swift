import Cryptography
import Federation
import Provenance

/// What vouches for a device, a model or the log.
let trustTargets: [String: FuzzTarget] = [
    "certificate": FuzzTarget(
        { input in
            guard let certificate = try? Certificate(der: input) else { return }
            _ = (certificate.identity, certificate.subject, certificate.hostNames)
            _ = (certificate.serial, certificate.isAuthority, certificate.isForSigning)
        },
        seeds: {
            let fleet = try ExampleFleet()
            return [
                fleet.authority.certificate.der,
                try fleet.authority.issue(
                    identity: fleet.device, publicKey: fleet.modelKey.publicKey, days: 90,
                    nowUnix: ExampleFleet.now
                ).der,
                try fleet.authority.issueServer(
                    hosts: ["localhost", "192.0.2.1", "2001:db8::1"],
                    key: fleet.modelKey.publicKey, days: 90, nowUnix: ExampleFleet.now
                ).der,
            ]
        }),
    "certificate-request": FuzzTarget(
        { _ = try? CertificateRequest(der: $0) },
        seeds: { [try CertificateRequest.make(key: try PrivateKey.generate(.p256))] }),
    "token": FuzzTarget(
        { _ = try? EnrolmentToken(parsing: String(decoding: $0, as: UTF8.self)) },
        seeds: {
            let fleet = try ExampleFleet()
            return ["192.0.2.1", "coordinator.example.org", "2001:db8::1"].map {
                Array(fleet.token(host: $0).utf8)
            }
        }),
    "bundle": FuzzTarget(
        { input in
            _ = try? ModelSignature.verify(
                bundle: input, trusted: [signer.fleet.modelKey.publicKey],
                authorities: [signer.fleet.authority.certificate])
        },
        seeds: {
            [try signer.fleet.bundle(), try signer.fleet.bundle(isCertified: true)]
        }),
    // The input is signed first: what only a trusted key could have made is parsed just as carefully.
    "statement": FuzzTarget(
        { input in
            guard let bundle = try? signer.bundle(around: input) else { return }
            _ = try? ModelSignature.verify(
                bundle: bundle, trusted: [signer.fleet.modelKey.publicKey])
        },
        seeds: { [try ExampleFleet().statement()] }),
    "trust-set": FuzzTarget(
        { _ = try? TrustSet(document: $0) }, seeds: { [try ExampleFleet().trustSet().document] }),
    "checkpoint": FuzzTarget(
        { input in
            _ = try? SignedCheckpoint(note: input, key: signer.fleet.logSigner.verifier)
            _ = try? Checkpoint(text: String(decoding: input, as: UTF8.self))
            _ = try? LogKey(vkey: String(decoding: input, as: UTF8.self))
        },
        seeds: {
            let fleet = try ExampleFleet()
            let checkpoint = fleet.checkpoint
            return [
                try fleet.logSigner.sign(checkpoint).note, Array(checkpoint.text.utf8),
                Array(fleet.logSigner.verifier.vkey.utf8),
            ]
        }),
    "proof": FuzzTarget(
        { input in
            guard let proof = try? LogProof(parsing: input) else { return }
            _ = try? proof.verify(key: signer.fleet.logSigner.verifier)
            _ = proof.encoded()
        },
        seeds: { [try ExampleFleet().proof().encoded()] }),
    // A length, that many bytes as the hash tile, the rest as the bundle, of a log of three leaves.
    "tiles": FuzzTarget(
        { input in
            let length = Int(input.first ?? 0)
            let source = FuzzedTiles(
                tile: Array(input.dropFirst().prefix(length)),
                bundle: Array(input.dropFirst(1 + length)))
            var log = TileLog(source: source, checkpoint: ExampleFleet.smallLog)
            try? log.verifyAll()
            _ = try? log.isConsistent(with: ExampleFleet.smallLog)
            _ = TilePath(String(decoding: input, as: UTF8.self))?.text
        },
        seeds: {
            let leaves = ExampleFleet.smallLeaves
            let tile = leaves.flatMap { Merkle.leafHash($0).bytes }
            return [
                [UInt8(tile.count)] + tile + (try Tiles.entries(leaves)),
                Array(TilePath.hashes(level: 0, index: 1_234_067, width: 256).text.utf8),
                Array(TilePath.entries(index: 1, width: 7).text.utf8),
            ]
        }),
    "leaf": FuzzTarget(
        { input in
            guard let leaf = LeafFields(input) else { return }
            _ = (leaf.event, leaf.time, leaf.text("plan"), leaf.number("round"))
            _ = leaf.decimal("epsilon")
        },
        seeds: { [ExampleFleet.leaf] }),
]

/// Signs what is fuzzed, with keys of this process.
private let signer: Signer = {
    do { return Signer(fleet: try ExampleFleet()) } catch { fatalError("no keys: \(error)") }
}()
