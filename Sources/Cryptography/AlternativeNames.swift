import COpenSSL
import Federation
import Glibc

/// One entry of a certificate's subject alternative names that Tributary reads.
struct AlternativeName {
    enum Kind { case dns, address, uri }

    let kind: Kind
    let text: String
}

extension Certificate {
    /// DNS names, IP addresses and URIs, in order; other kinds are skipped.
    var alternativeNames: [AlternativeName] {
        guard let raw = X509_get_ext_d2i(handle.pointer, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        var result: [AlternativeName] = []
        for index in 0..<max(0, tributary_names_count(names)) {
            guard let name = tributary_names_at(names, index) else { continue }
            switch name.pointee.type {
            case GEN_DNS:
                result.append(AlternativeName(kind: .dns, text: text(name.pointee.d.dNSName)))
            case GEN_URI:
                let uri = name.pointee.d.uniformResourceIdentifier
                result.append(AlternativeName(kind: .uri, text: text(uri)))
            case GEN_IPADD:
                guard let address = address(name.pointee.d.iPAddress) else { continue }
                result.append(AlternativeName(kind: .address, text: address))
            default: continue
            }
        }
        return result
    }

    /// What is not printable ASCII becomes `?`: names of foreign certificates end up on terminals.
    private func text(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String {
        let printable = bytes(of: string).map { (0x20...0x7e).contains($0) ? $0 : 0x3f }
        return String(decoding: printable, as: UTF8.self)
    }

    private func bytes(of string: UnsafeMutablePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string, let data = ASN1_STRING_get0_data(string) else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(string))))
    }

    /// An IPv4 or IPv6 address as people write it.
    private func address(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
        let bytes = bytes(of: string)
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Whether `host` is an IPv4 or IPv6 address rather than a name.
package func isAddress(_ host: String) -> Bool {
    var storage = in6_addr()
    return inet_pton(AF_INET, host, &storage) == 1 || inet_pton(AF_INET6, host, &storage) == 1
}
