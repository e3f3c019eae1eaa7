import Cryptography
import Federation

/// The plans' texts by name, so that the command line knows what form the data should have.
struct PlanTexts {
    private let directory: String

    /// - Parameter directory: exists and is this type's alone.
    init(directory: String) { self.directory = directory }

    private func path(_ plan: PlanID) -> String { "\(directory)/\(plan).toml" }

    func store(_ text: [UInt8], of plan: PlanID) throws(Fault) {
        try CredentialFile.replace(path(plan), text, mode: CredentialFile.publicMode)
    }

    /// The text last stored; nil when there is none.
    func read(_ plan: PlanID) throws(Fault) -> [UInt8]? {
        guard fileSize(path(plan)) != nil else { return nil }
        return try CredentialFile.read(path(plan))
    }
}
