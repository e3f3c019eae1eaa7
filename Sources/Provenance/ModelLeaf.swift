package import Federation

/// What a `modelSigned` leaf says.
package struct ModelLeaf: Equatable {
    package let position: UInt64
    package let plan: PlanID
    package let version: UInt64
    package let round: UInt64
    /// SHA-256 of model.onnx.
    package let model: Digest
    /// SHA-256 of the signed statement; nil in leaves from before the log was signed, as are `key`
    /// and `parent`.
    package let statement: Digest?
    /// SHA-256 of the signer's SubjectPublicKeyInfo.
    package let key: Digest?
    /// SHA-256 of the parent's model.onnx; nil for version 0.
    package let parent: Digest?
    /// Nil for version 0.
    package let parentVersion: UInt64?

    /// nil when a field is missing or malformed.
    package init?(_ fields: LeafFields, position: UInt64) {
        guard fields.event == FleetEvent.Kind.modelSigned.rawValue,
            let plan = fields.text("plan").flatMap(PlanID.init),
            let version = fields.number("version"), let round = fields.number("round"),
            let model = fields.digest("model")
        else { return nil }
        self.position = position
        self.plan = plan
        self.version = version
        self.round = round
        self.model = model
        statement = fields.digest("statement")
        key = fields.digest("key")
        parent = fields.digest("parent")
        parentVersion =
            fields.number("parentVersion") ?? (parent != nil && version > 0 ? version - 1 : nil)
    }

    /// For messages: `fashion version 3 (leaf 88)`.
    package var words: String { "\(plan) version \(version) (leaf \(position))" }
}

extension LeafFields {
    /// The field `name`; nil when there is none or it is no SHA-256 in lower-case hexadecimal.
    package func digest(_ name: String) -> Digest? { text(name).flatMap(Digest.init(hex:)) }

    /// The fields `round` and `attempt`.
    package var roundAttempt: RoundAttempt? {
        guard let round = number("round"),
            let attempt = number("attempt").flatMap(UInt32.init(exactly:))
        else { return nil }
        return RoundAttempt(round: RoundID(round), attempt: attempt)
    }
}
