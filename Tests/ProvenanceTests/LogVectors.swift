import Cryptography
import Federation
import Foundation
import Testing

/// What another implementation, which Go's sumdb packages agree with, makes of a log of eight
/// leaves.
struct LogVectors: Decodable {
    struct Inclusion: Decodable {
        let index: UInt64
        let size: UInt64
        let path: [String]
    }

    struct Consistency: Decodable {
        let old: UInt64
        let new: UInt64
        let path: [String]
    }

    let entriesHex: [String]
    let leafHashes: [String]
    let emptyRoot: String
    let roots: [String: String]
    let inclusion: [Inclusion]
    let consistency: [Consistency]
    let origin: String
    let logSeed: String
    let logVkey: String
    let witnessSeed: String
    let witnessVkey: String
    let checkpoint: String

    static func read() throws -> LogVectors {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/tlog.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(LogVectors.self, from: Data(contentsOf: file))
    }

    var leaves: [[UInt8]] {
        get throws { try entriesHex.map { try #require(bytesFromHex($0)) } }
    }

    func root(_ size: UInt64) throws -> Digest {
        try #require(roots[String(size)].flatMap(Digest.init(hex:)))
    }

    static func hashes(_ path: [String]) throws -> [Digest] {
        try path.map { try #require(Digest(hex: $0)) }
    }

    /// The Ed25519 key of a seed of 32 bytes, by way of PKCS#8.
    static func key(seed: String) throws -> PrivateKey {
        let header = "302e020100300506032b657004220420"
        let document = try #require(bytesFromHex(header + seed))
        return try PrivateKey(
            pem: "-----BEGIN PRIVATE KEY-----\n\(Data(document).base64EncodedString())\n"
                + "-----END PRIVATE KEY-----\n")
    }
}
