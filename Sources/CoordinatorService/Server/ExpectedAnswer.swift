import Wire

// What a message asks for, before it is answered.
extension Message {
    /// The most bytes that the answer takes, when it may be large and an agent may ask for it.
    var largestAnswer: Int? {
        switch self {
        case .blobRequest: WireLimits.chunkBytes
        case .logProofRequest: WireLimits.logProofBytes
        case .trustSetRequest: WireLimits.frameBytes
        default: nil
        }
    }

    /// Whether the coordinator holds the answer until there is something to say.
    var isPatient: Bool {
        switch self {
        case .checkInRequest, .adminRequest(.jobWatch), .adminRequest(.planShow): true
        default: false
        }
    }
}
