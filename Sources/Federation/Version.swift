/// The version of this software, as agents and the coordinator tell each other and as models record it.
package let softwareVersion = "0.1.0"

/// The name of the protocol that TLS negotiates (ALPN); a later, incompatible one will have another.
package let applicationProtocol = "tributary/1"
