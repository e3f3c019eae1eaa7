package import Cryptography
package import Federation
import Glibc

/// What an admin connects with: a certificate, its key, the fleet's authority and the coordinator's
/// address.
///
/// `init` leaves one in the state directory's `admin` folder; `admin issue` writes others.
package struct AdminCredential: Sendable {
    package let address: NetworkAddress
    package let certificate: Certificate
    package let key: PrivateKey
    /// One of these must have signed the coordinator's certificate: while the fleet's authority is
    /// being replaced there are two.
    package let authorities: [Certificate]

    /// Reads the credential in `directory`, a coordinator's state directory or a credential folder.
    ///
    /// - Throws: `notFound` when there is none, `invalid` for a file that does not parse, `storage`
    ///   for one that cannot be read.
    package init(directory: String) throws(Fault) {
        let folders = [directory + "/admin", directory]
        guard let folder = folders.first(where: { access($0 + "/admin.crt", F_OK) == 0 }) else {
            try Ownership.checkAccess(to: directory)
            throw Fault(
                .notFound, "\(directory) holds no admin credential",
                remedy: "give --dir a coordinator's state directory, or the folder that"
                    + " `tributary-coordinator admin issue` wrote")
        }
        let line = String(decoding: try CredentialFile.read(folder + "/address"), as: UTF8.self)
        address = try NetworkAddress(parsing: line.filter { !$0.isWhitespace })
        certificate = try Certificate(pemFile: folder + "/admin.crt")
        key = try PrivateKey(pemFile: folder + "/admin.key")
        authorities = try Certificate.chain(pemFile: folder + "/fleet-ca.crt")
    }
}
