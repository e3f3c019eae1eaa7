import Cryptography
package import Federation
import Glibc

/// The plans' texts by name, so that the command line knows what form the data should have; and what is no plan's name.
package struct PlanTexts {
    private let directory: String

    /// - Parameter directory: exists and is this type's alone.
    package init(directory: String) { self.directory = directory }

    private func path(_ plan: PlanID) -> String { "\(directory)/\(plan).toml" }
    private func unknownPath(_ plan: PlanID) -> String { "\(directory)/\(plan).unknown" }

    func store(_ text: [UInt8], of plan: PlanID) throws(Fault) {
        try CredentialFile.replace(path(plan), text, mode: CredentialFile.publicMode)
    }

    /// The text last stored; nil when there is none.
    func read(_ plan: PlanID) throws(Fault) -> [UInt8]? {
        guard fileSize(path(plan)) != nil else { return nil }
        return try CredentialFile.read(path(plan))
    }

    /// Keeps what the last check-in made of a plan; nil: the coordinator has it.
    ///
    /// - Throws: `Fault.storage`.
    package func note(_ unknown: UnknownPlan?, of plan: PlanID) throws(Fault) {
        guard let unknown else {
            unlink(unknownPath(plan))
            return
        }
        try CredentialFile.replace(
            unknownPath(plan), Array((unknown.meant ?? "").utf8), mode: CredentialFile.publicMode)
    }

    /// The plan, when the coordinator did not have it at the last check-in.
    func unknown(_ plan: PlanID) -> UnknownPlan? {
        guard fileSize(unknownPath(plan)) != nil else { return nil }
        let meant = (try? CredentialFile.read(unknownPath(plan))) ?? []
        return UnknownPlan(
            plan: plan, meant: meant.isEmpty ? nil : String(decoding: meant, as: UTF8.self))
    }
}
