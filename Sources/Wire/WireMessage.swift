import Federation

/// A message that converts to and from the C struct which protoc-c generates for it.
protocol WireMessage {
    associatedtype Raw

    /// protoc-c's `..._init`: sets the descriptor and every default.
    static func prepare(_ raw: UnsafeMutablePointer<Raw>)
    /// Copies every field out of `raw`, which protobuf-c owns.
    init(raw: Raw) throws(Fault)
    /// Sets every field of a prepared `raw`; what it points to comes from `arena`.
    func fill(_ raw: inout Raw, in arena: Arena) throws(Fault)
}

/// Throws `Fault.exhausted` when `count` is above `limit`.
func check(_ count: Int, _ name: StaticString, limit: Int, unit: String) throws(Fault) {
    guard count <= limit else {
        throw Fault(.exhausted, "\(name) has \(count) \(unit), at most \(limit) are allowed")
    }
}

/// Throws `Fault.invalid` unless `count` is that of a SHA-256 digest, or 0 for none.
func checkDigest(_ count: Int, _ name: StaticString) throws(Fault) {
    guard count == Digest.byteCount || count == 0 else {
        throw Fault(
            .invalid,
            "\(name) has \(count) bytes, a SHA-256 digest has \(Digest.byteCount)")
    }
}

/// Why a message whose body is unset, or of a kind from a newer version, is refused.
func unknownBody(_ name: StaticString) -> Fault {
    Fault(
        .invalid, "\(name) is empty or of a kind that this version does not know",
        remedy: "use the same version of Tributary on both sides")
}
