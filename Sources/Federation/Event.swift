/// A consequential change, as the audit log records it: one leaf of the append-only log.
///
/// A leaf is compact JSON whose first member is `event`; the others keep the order given, so equal events have equal bytes.
package struct FleetEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case fleetCreated, tokenIssued, agentEnrolled, agentRevoked, adminIssued, planApplied
        case roundStarted, budgetCharged, roundSealed, roundAbandoned, modelSigned
    }

    package enum Value: Sendable, Equatable {
        case text(String)
        case number(UInt64)
        /// A decimal, written as a JSON string so that no reader rounds it.
        case decimal(Double)
    }

    package let kind: Kind
    package let fields: [(name: String, value: Value)]

    package init(_ kind: Kind, _ fields: [(name: String, value: Value)]) {
        self.kind = kind
        self.fields = fields
    }

    package static func == (left: FleetEvent, right: FleetEvent) -> Bool {
        left.kind == right.kind && left.leafBytes == right.leafBytes
    }

    /// The leaf: UTF-8 of the compact JSON object.
    package var leafBytes: [UInt8] {
        var text = "{\"event\":\(jsonString(kind.rawValue))"
        for (name, value) in fields {
            text += ",\(jsonString(name)):"
            switch value {
            case .text(let string): text += jsonString(string)
            case .number(let number): text += String(number)
            case .decimal(let decimal): text += jsonString(decimal.description)
            }
        }
        return Array((text + "}").utf8)
    }
}

/// `text` as a JSON string with its quotes.
package func jsonString(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\r": quoted += "\\r"
        case "\t": quoted += "\\t"
        case _ where scalar.value < 0x20:
            quoted += "\\u00" + hexadecimal([UInt8(scalar.value)])
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
