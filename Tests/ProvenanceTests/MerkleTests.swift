import Federation
import Provenance
import ProvenanceSamples
import Testing

@Suite("The log's tree, against the vectors")
struct MerkleTests {
    private let vectors: LogVectors
    private let log: LogUnderTest

    init() throws {
        vectors = try LogVectors.read()
        log = LogUnderTest(try vectors.leaves)
    }

    @Test("hashes leaves as they do")
    func leaves() throws {
        #expect(try vectors.leaves.map { Merkle.leafHash($0).hex } == vectors.leafHashes)
        #expect(Merkle.emptyRoot.hex == vectors.emptyRoot)
    }

    @Test("has their root at every size")
    func roots() throws {
        #expect(vectors.roots.count == 8)
        for size in 1...UInt64(8) {
            let root = try vectors.root(size)
            #expect(log.root(size) == root)
        }
    }

    @Test("makes and accepts their inclusion proofs")
    func inclusion() throws {
        #expect(vectors.inclusion.count == 36)
        for proof in vectors.inclusion {
            let path = try LogVectors.hashes(proof.path)
            #expect(log.inclusion(proof.index, proof.size) == path)
            let root = try vectors.root(proof.size)
            let leaf = try LogVectors.hashes(vectors.leafHashes)[Int(proof.index)]
            #expect(
                LogTree.includes(
                    leaf: leaf, index: proof.index, size: proof.size, path: path, root: root))
        }
    }

    @Test("makes and accepts their consistency proofs")
    func consistency() throws {
        #expect(vectors.consistency.count == 36)
        for proof in vectors.consistency {
            let path = try LogVectors.hashes(proof.path)
            #expect(log.consistency(proof.old, proof.new) == path)
            let older = try vectors.root(proof.old)
            let newer = try vectors.root(proof.new)
            #expect(
                LogTree.isConsistent(
                    from: proof.old, fromRoot: older, to: proof.new, toRoot: newer, path: path))
        }
    }
}
