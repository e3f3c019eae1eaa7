package import Federation

/// One check of a verification, and what came of it.
package struct VerificationCheck: Sendable, Equatable {
    package enum Result: String, Sendable {
        case passed, failed, skipped
    }

    /// Such as `signature`, `inclusion` or `file model.onnx`.
    package let name: String
    package let result: Result
    /// What was found, or why nothing was looked at. May hold anything that a checked file holds.
    package let detail: String
}

/// The checks that were made, in their order, and what they come to.
package struct VerificationReport: Sendable, Equatable {
    /// What the checks come to.
    package enum Verdict: String, Sendable {
        case verified = "verified"
        case notVerified = "not verified"
        case couldNotCheck = "could not check"
    }

    package private(set) var checks: [VerificationCheck] = []
    /// The first thing that kept a check from being made; nil when all could be.
    package private(set) var obstacle: Fault?
    /// What was checked, for the JSON document.
    package var about: [String: CanonicalJSON] = [:]

    package init() {}

    /// A failed check outweighs everything; what could not be checked is no success.
    package var verdict: Verdict {
        if checks.contains(where: { $0.result == .failed }) { return .notVerified }
        return obstacle == nil ? .verified : .couldNotCheck
    }

    /// The check of that name; nil when there is none.
    package func check(_ name: String) -> VerificationCheck? {
        checks.first { $0.name == name }
    }

    /// The report as one JSON object: `checks` (`name`, `result`, `detail`), `verified`, `verdict`,
    /// `problem` (null, or what could not be checked), and what was checked.
    package func encoded() throws(Fault) -> [UInt8] {
        let entries = checks.map { check in
            CanonicalJSON.object([
                "name": .text(check.name), "result": .text(check.result.rawValue),
                "detail": .text(check.detail),
            ])
        }
        var members = about
        members["checks"] = .array(entries)
        members["verified"] = .boolean(verdict == .verified)
        members["verdict"] = .text(verdict.rawValue)
        members["problem"] = obstacle.map { .text($0.description) } ?? .null
        return try CanonicalJSON.object(members).encoded()
    }

    package mutating func add(_ name: String, _ result: VerificationCheck.Result, _ detail: String)
    {
        checks.append(VerificationCheck(name: name, result: result, detail: detail))
    }

    /// Notes why the rest cannot be checked.
    package mutating func stop(_ fault: Fault) {
        if obstacle == nil { obstacle = fault }
    }

    /// Makes a check: `body` gives what was found, in words.
    ///
    /// - Returns: whether it passed.
    @discardableResult
    package mutating func make(_ name: String, _ body: () throws(Fault) -> String) -> Bool {
        find(name) { () throws(Fault) in ((), try body()) } != nil
    }

    /// Makes a check that finds something, besides its words.
    ///
    /// - Returns: what was found; nil unless the check passed.
    package mutating func find<Found>(
        _ name: String, _ body: () throws(Fault) -> (found: Found, detail: String)
    ) -> Found? {
        do throws(Fault) {
            let (found, detail) = try body()
            add(name, .passed, detail)
            return found
        } catch {
            miss(name, error)
            return nil
        }
    }

    /// A check that did not pass: an `untrusted` or `invalid` fault is a failure, and anything else
    /// kept it from knowing.
    package mutating func miss(_ name: String, _ fault: Fault) {
        switch fault.code {
        case .untrusted, .invalid: add(name, .failed, fault.message)
        default:
            add(name, .skipped, "could not be checked: \(fault.message)")
            stop(fault)
        }
    }
}

/// The fault for something that a check found wrong.
package func wrong(_ why: String) -> Fault { Fault(.untrusted, why) }
