// Enrolment: a token and a certificate request become a device certificate: enrol.proto.

/// First message of a device without a certificate, over server-authenticated TLS.
package struct EnrolRequest: Sendable, Equatable {
    /// From the token.
    package var secret: [UInt8]
    /// PKCS#10, DER.
    package var certificateRequest: [UInt8]
    package var agentVersion: String
    /// The device's wall clock, so that a wrong one can be named.
    package var unixSeconds: UInt64

    package init(
        secret: [UInt8] = [], certificateRequest: [UInt8] = [], agentVersion: String = "",
        unixSeconds: UInt64 = 0
    ) {
        self.secret = secret
        self.certificateRequest = certificateRequest
        self.agentVersion = agentVersion
        self.unixSeconds = unixSeconds
    }
}

/// A device's certificate, and whom it is to believe.
package struct EnrolResponse: Sendable, Equatable {
    package var fleet: String
    /// The id given to this device.
    package var agent: String
    /// X.509, DER.
    package var certificate: [UInt8]
    /// The fleet's CA certificates, DER.
    package var authorities: [[UInt8]]
    /// See trust.proto.
    package var trustSet: [UInt8]

    package init(
        fleet: String = "", agent: String = "", certificate: [UInt8] = [],
        authorities: [[UInt8]] = [], trustSet: [UInt8] = []
    ) {
        self.fleet = fleet
        self.agent = agent
        self.certificate = certificate
        self.authorities = authorities
        self.trustSet = trustSet
    }
}

/// A device asks for a new certificate over a connection that its present one opened.
package struct RenewRequest: Sendable, Equatable {
    /// PKCS#10, DER, for a new key.
    package var certificateRequest: [UInt8]

    package init(certificateRequest: [UInt8] = []) {
        self.certificateRequest = certificateRequest
    }
}

/// The new certificate.
package struct RenewResponse: Sendable, Equatable {
    /// X.509, DER.
    package var certificate: [UInt8]

    package init(certificate: [UInt8] = []) {
        self.certificate = certificate
    }
}

/// A device's owner takes it out of the fleet, over a connection that its certificate opened.
package struct LeaveRequest: Sendable, Equatable {
    package init() {}
}

/// The certificate is revoked, and the log says so.
package struct LeaveAck: Sendable, Equatable {
    package init() {}
}
