package import Federation

/// Every value of a plan under its path, read from the plan's own structure, so that none is left out
/// when plans get a new one.
package enum PlanParameters {
    /// More values than this are named by their number alone; the plan's text has them.
    private static let mostListed = 16

    /// `training.learning_rate` and its like; of what a plan does without there is nothing.
    package static func all(of plan: Plan) -> [String: Setting] {
        var settings: [String: Setting] = [:]
        collect(plan, path: "", into: &settings)
        return settings
    }

    private static func collect(_ value: Any, path: String, into settings: inout [String: Setting])
    {
        if let setting = scalar(value) {
            settings[path] = setting
            return
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            if let wrapped = mirror.children.first {
                collect(wrapped.value, path: path, into: &settings)
            }
        case .collection: list(mirror.children.map(\.value), path: path, into: &settings)
        case .enum:
            guard let choice = mirror.children.first else {
                settings[path] = .text(snakeCase("\(value)"))
                return
            }
            let name = snakeCase(choice.label ?? "")
            settings[path] = .text(name)
            collect(choice.value, path: "\(path).\(name)", into: &settings)
        default:
            for child in mirror.children {
                let name = snakeCase(child.label ?? "")
                collect(child.value, path: path.isEmpty ? name : "\(path).\(name)", into: &settings)
            }
        }
    }

    private static func list(
        _ values: [Any], path: String, into settings: inout [String: Setting]
    ) {
        let scalars = values.compactMap(scalar)
        guard scalars.count == values.count else {
            for (index, value) in values.enumerated() {
                collect(value, path: "\(path).\(index)", into: &settings)
            }
            return
        }
        let words =
            scalars.count > mostListed
            ? "\(scalars.count) values" : scalars.map(\.words).joined(separator: " ")
        settings[path] = scalars.count == 1 ? scalars[0] : .text(words)
    }

    private static func scalar(_ value: Any) -> Setting? {
        switch value {
        case let value as Bool: .truth(value)
        case let value as Int: .number(Double(value))
        // By way of text, so that 0.1 stays 0.1.
        case let value as Float: .number(Double("\(value)") ?? Double(value))
        case let value as Double: .number(value)
        case let value as String: .text(value)
        case let value as PlanID: .text(value.name)
        default: nil
        }
    }

    /// `learningRate` as plans write it: `learning_rate`.
    private static func snakeCase(_ name: String) -> String {
        var words = ""
        // Payloads without labels are .0, .1.
        for character in name where character != "." {
            words += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
        return words
    }
}
