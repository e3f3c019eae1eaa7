/// A consequential change, as the audit log records it: one leaf of the append-only log.
///
/// A leaf is compact JSON: `event`, `time`, then the event's fields in the order given, so equal events have equal bytes.
package struct FleetEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case fleetCreated, keyAdded, keyRetired, keyRevoked, authorityAdded, authorityRetired
        case serverCertificateIssued, trustSetSigned, registrySealed, stateRestored
        case tokenIssued, agentEnrolled, agentRenewed, agentRevoked
        case adminIssued, roleChanged, adminRevoked
        case planApplied, planPaused, planResumed, teacherKept, roundsRequested, jobCancelled
        case roundStarted, roundContinued, budgetCharged, roundSealed
        case roundAbandoned, modelSigned, modelRefused, versionCollected
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
        left.leafBytes(unix: 0, rows: nil) == right.leafBytes(unix: 0, rows: nil)
    }

    /// The leaf: UTF-8 of the compact JSON object.
    ///
    /// - Parameters:
    ///   - unix: when it happened, in Unix seconds.
    ///   - rows: the salted digest of the registry's rows that changed with it; nil for none.
    package func leafBytes(unix: UInt64, rows: Digest?) -> [UInt8] {
        var text = "{\"event\":\(jsonString(kind.rawValue)),\"time\":\(unix)"
        for (name, value) in fields {
            text += ",\(jsonString(name)):"
            switch value {
            case .text(let string): text += jsonString(string)
            case .number(let number): text += String(number)
            case .decimal(let decimal): text += jsonString(decimal.description)
            }
        }
        if let rows { text += ",\"rows\":\"\(rows.hex)\"" }
        return Array((text + "}").utf8)
    }
}

/// `text` as a JSON string with its quotes.
package func jsonString(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
        $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    guard !isPlain else { return "\"\(text)\"" }
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
