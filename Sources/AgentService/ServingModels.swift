import Cryptography
package import Federation
import Glibc

/// The verified models that this device predicts with: `models/<plan>/model.onnx`.
///
/// `models/<plan>` is a link to `models/<plan>.<version>`, so that a reader sees one whole version at any time. The
/// version held is in the link's text, and so survives with it.
package struct ServingModels: Sendable {
    private let directory: String

    /// - Parameter directory: exists and is this type's alone.
    package init(directory: String) { self.directory = directory }

    /// The version held; nil when there is none.
    package func version(of plan: PlanID) -> UInt64? {
        guard let target = link(plan), target.hasPrefix("\(plan).") else { return nil }
        return UInt64(target.dropFirst(plan.name.utf8.count + 1))
    }

    /// Replaces the version held by another, from two verified files.
    ///
    /// - Throws: `Fault.storage`; the version held before then stays.
    package func install(
        _ plan: PlanID, version: UInt64, model: String, signature: [UInt8]
    ) throws(Fault) {
        let name = "\(plan).\(version)"
        let folder = "\(directory)/\(name)"
        if link(plan) != name {
            removeDirectory(folder)
            try createDirectory(folder)
            guard Glibc.link(model, "\(folder)/model.onnx") == 0 else {
                throw storageFault("cannot create", "\(folder)/model.onnx")
            }
            try CredentialFile.create(
                "\(folder)/model.sig", signature, mode: CredentialFile.publicMode)
            try synchronise(folder)
            try point(plan, to: name)
        }
        removeOthers(plan, keeping: name)
    }

    private func link(_ plan: PlanID) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink("\(directory)/\(plan)", $0, text.count) } ?? 0
            }
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private func point(_ plan: PlanID, to name: String) throws(Fault) {
        let path = "\(directory)/\(plan)"
        let new = path + ".new"
        unlink(new)
        guard symlink(name, new) == 0 else { throw storageFault("cannot create", new) }
        try replace(path, by: new, in: directory)
    }

    private func removeOthers(_ plan: PlanID, keeping name: String) {
        for other in names(in: directory) where other.hasPrefix("\(plan).") && other != name {
            removeDirectory("\(directory)/\(other)")
        }
    }
}
