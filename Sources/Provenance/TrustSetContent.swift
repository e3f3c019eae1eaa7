import Cryptography
import Federation

/// What a trust set's signatures cover, and the rules that it keeps.
struct TrustSetContent {
    let version: UInt64
    let fleet: String
    let authorities: [Certificate]
    let modelKeys: [TrustSet.ModelKey]
    let log: LogKey

    /// The most authorities of one set; rotation needs two.
    private static let mostAuthorities = 8
    /// The most keys of one set: retired ones stay, so that their models can be verified.
    private static let mostModelKeys = 64

    init(
        version: UInt64, fleet: String, authorities: [Certificate],
        modelKeys: [TrustSet.ModelKey], log: LogKey
    ) {
        self.version = version
        self.fleet = fleet
        self.authorities = authorities
        self.modelKeys = modelKeys
        self.log = log
    }

    /// nil when a member is missing or does not parse.
    init?(_ json: CanonicalJSON) {
        guard let version = json["version"]?.count, let fleet = json["fleet"]?.text,
            let authorities = json["authorities"]?.texts,
            authorities.count <= Self.mostAuthorities,
            let modelKeys = json["modelKeys"]?.elements, modelKeys.count <= Self.mostModelKeys,
            let log = json["log"]?.text
        else { return nil }
        do {
            var certificates: [Certificate] = []
            for text in authorities {
                guard let der = Base64.decode(text) else { return nil }
                certificates.append(try Certificate(der: der))
            }
            var keys: [TrustSet.ModelKey] = []
            for json in modelKeys {
                guard let key = try TrustSet.ModelKey(json) else { return nil }
                keys.append(key)
            }
            self.init(
                version: version, fleet: fleet, authorities: certificates, modelKeys: keys,
                log: try LogKey(vkey: log))
        } catch { return nil }
    }

    var json: CanonicalJSON {
        .object([
            "version": .integer(Int64(clamping: version)),
            "fleet": .text(fleet),
            "authorities": .array(authorities.map { .text(Base64.encode($0.der)) }),
            "modelKeys": .array(modelKeys.map(\.json)),
            "log": .text(log.vkey),
        ])
    }

    /// Why this cannot be a trust set; nil when it can.
    var problem: String? {
        if version == 0 { return "versions count from 1" }
        if !isName(fleet, atMost: 64) { return "its fleet has no proper name" }
        if authorities.isEmpty || !authorities.allSatisfy(\.isAuthority) {
            return "it needs authorities, and each must be one"
        }
        if authorities.count > Self.mostAuthorities {
            return "it has more than \(Self.mostAuthorities) authorities"
        }
        if modelKeys.count > Self.mostModelKeys {
            return "it has more than \(Self.mostModelKeys) model keys"
        }
        return keyProblem
    }

    private var keyProblem: String? {
        if !modelKeys.allSatisfy({ $0.key.kind == .p256 || $0.key.kind == .p384 }) {
            return "its model keys must be on P-256 or P-384"
        }
        if Set(modelKeys.map(\.key)).count != modelKeys.count {
            return "it has a model key twice"
        }
        if !modelKeys.contains(where: { $0.until == nil }) {
            return "it needs a model key that is active"
        }
        for key in modelKeys {
            if let until = key.until, until < key.from {
                return "a model key ends before it begins"
            }
            if key.revokedUnix != nil, key.until == nil {
                return "a revoked model key is active"
            }
        }
        return nil
    }
}

extension TrustSet.ModelKey {
    /// nil when a member is missing or of the wrong shape.
    ///
    /// - Throws: `Fault.invalid` when the PEM is no public key.
    fileprivate init?(_ json: CanonicalJSON) throws(Fault) {
        guard let pem = json["pem"]?.text, let from = json["from"]?.count,
            json["until"] == nil || json["until"]?.count != nil,
            json["revoked"] == nil || json["revoked"]?.count != nil
        else { return nil }
        self.init(
            key: try PublicKey(pem: pem), from: from, until: json["until"]?.count,
            revokedUnix: json["revoked"]?.count)
    }

    fileprivate var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "pem": .text(key.pem), "from": .integer(Int64(clamping: from)),
        ]
        if let until { members["until"] = .integer(Int64(clamping: until)) }
        if let revokedUnix { members["revoked"] = .integer(Int64(clamping: revokedUnix)) }
        return .object(members)
    }
}

extension CanonicalJSON {
    /// nil unless this is an integer that is not negative.
    fileprivate var count: UInt64? {
        guard case .integer(let number) = self else { return nil }
        return UInt64(exactly: number)
    }
}
