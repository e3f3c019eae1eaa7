import Cryptography
package import Federation
package import Provenance

/// A model that a device holds, with what vouches for it beside it, to be checked again without the coordinator.
package enum HeldModel {
    /// The signature bundle beside the model.
    static let signatureFile = "model.sig"
    /// The tlog-proof beside the model.
    static let proofFile = "model.tlog-proof"

    /// The same for a directory of which only the path is known; nothing is checked of one that is no agent's: what
    /// `model export` wrote has its signature beside it, and `tributary-verify` checks it.
    ///
    /// - Throws: as the other does.
    package static func verify(_ directory: String) throws(Fault) {
        let state = StateDirectory(path: "\(directory)/../..")
        guard state.isEnrolled else { return }
        let document = try CredentialFile.read(state.trustSetFile)
        _ = try verify(directory, trust: TrustSet(document: document))
    }

    /// Sees that the model in `directory` is one that a trusted key signed and the log has.
    ///
    /// - Parameter directory: `models/PLAN` of a state directory.
    /// - Throws: `Fault.untrusted` saying what does not hold, `Fault.notFound` or `Fault.storage` naming a file.
    package static func verify(_ directory: String, trust: TrustSet) throws(Fault) -> LoggedModel {
        func changed(_ why: String) -> Fault {
            Fault(
                .untrusted, "the model in \(directory) is refused: \(why)",
                remedy:
                    "check the disk and who can write there; restart the agent, which then"
                    + " fetches the model again")
        }
        let bundle = try CredentialFile.read("\(directory)/\(signatureFile)")
        let proof = try CredentialFile.read("\(directory)/\(proofFile)")
        let logged: LoggedModel
        do throws(Fault) {
            logged = try LoggedModel.verify(bundle: bundle, proof: proof, trust: trust)
        } catch { throw changed(error.message) }
        let file = LoggedModel.modelFile
        guard try SHA256.digest(ofFile: "\(directory)/\(file)") == logged.model else {
            throw changed("its signature is for another \(file)")
        }
        return logged
    }
}
