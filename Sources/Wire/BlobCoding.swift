import CMessages
import Federation

extension BlobRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__BlobRequest>) {
        tributary__v1__blob_request__init(raw)
    }

    init(raw: Tributary__V1__BlobRequest) throws(Fault) {
        self.init(
            digest: try Read.digest(raw.digest, "BlobRequest.digest"),
            offset: raw.offset)
    }

    func fill(_ raw: inout Tributary__V1__BlobRequest, in arena: Arena) throws(Fault) {
        raw.digest = try arena.digest(digest, "BlobRequest.digest")
        raw.offset = offset
    }
}

extension BlobChunk: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__BlobChunk>) {
        tributary__v1__blob_chunk__init(raw)
    }

    init(raw: Tributary__V1__BlobChunk) throws(Fault) {
        self.init(
            digest: try Read.digest(raw.digest, "BlobChunk.digest"),
            offset: raw.offset,
            totalSize: raw.total_size,
            data: try Read.bytes(raw.data, "BlobChunk.data", limit: WireLimits.chunkBytes))
    }

    func fill(_ raw: inout Tributary__V1__BlobChunk, in arena: Arena) throws(Fault) {
        raw.digest = try arena.digest(digest, "BlobChunk.digest")
        raw.offset = offset
        raw.total_size = totalSize
        raw.data = try arena.chunk("BlobChunk.data")
    }
}
