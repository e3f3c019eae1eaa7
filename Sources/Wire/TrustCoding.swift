import CMessages
import Federation

extension TrustSetRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TrustSetRequest>) {
        tributary__v1__trust_set_request__init(raw)
    }

    init(raw: Tributary__V1__TrustSetRequest) {
        self.init(afterVersion: raw.after_version)
    }

    func fill(_ raw: inout Tributary__V1__TrustSetRequest, in arena: Arena) {
        raw.after_version = afterVersion
    }
}

extension TrustSetUpdate: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TrustSetUpdate>) {
        tributary__v1__trust_set_update__init(raw)
    }

    init(raw: Tributary__V1__TrustSetUpdate) throws(Fault) {
        self.init(
            sets: try Read.list(
                raw.sets, raw.n_sets, "TrustSetUpdate.sets", limit: WireLimits.trustSets
            ) { (item, name) throws(Fault) in
                try Read.bytes(item, name, limit: WireLimits.trustSetBytes)
            })
    }

    func fill(_ raw: inout Tributary__V1__TrustSetUpdate, in arena: Arena) throws(Fault) {
        (raw.sets, raw.n_sets) = try arena.list(
            sets, "TrustSetUpdate.sets", limit: WireLimits.trustSets
        ) { (item, name) throws(Fault) in
            try arena.bytes(item, name, limit: WireLimits.trustSetBytes)
        }
    }
}
