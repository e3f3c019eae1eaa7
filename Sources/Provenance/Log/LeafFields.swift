/// What a leaf of a fleet's log says.
package struct LeafFields: Sendable {
    private let members: CanonicalJSON
    /// The kind of event, of which this program may not know every one.
    package let event: String
    /// When it happened, in Unix seconds.
    package let time: UInt64

    /// nil unless `leaf` is a JSON object with an event and its time.
    package init?(_ leaf: [UInt8]) {
        guard leaf.count <= LogProof.largestLeaf, let members = CanonicalJSON(parsing: leaf),
            let event = members["event"]?.text, let time = LeafFields.number(members["time"])
        else { return nil }
        self.members = members
        self.event = event
        self.time = time
    }

    /// The field `name`; nil when there is none or it is no text.
    package func text(_ name: String) -> String? { members[name]?.text }

    /// The field `name`; nil when there is none or it is no whole number.
    package func number(_ name: String) -> UInt64? { LeafFields.number(members[name]) }

    /// The field `name`; nil when there is none or it is no decimal as a leaf writes it.
    package func decimal(_ name: String) -> Double? {
        guard let text = text(name), let value = Double(text), value.description == text else {
            return nil
        }
        return value
    }

    private static func number(_ value: CanonicalJSON?) -> UInt64? {
        guard case .integer(let number) = value else { return nil }
        return UInt64(exactly: number)
    }
}
