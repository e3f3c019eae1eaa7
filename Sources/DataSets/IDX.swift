package import Federation
import Glibc

/// The IDX format of the MNIST family: a big-endian header, then unsigned bytes, row-major.
///
/// Header: two zero bytes, the element type, the number of dimensions, each dimension as 32 bits.
package enum IDX {
    /// The element type "unsigned byte", the only one supported.
    static let unsignedByte: UInt8 = 0x08
    /// More than any known data set has; bounds the header.
    static let mostDimensions = 8

    /// Writes `bytes` (the product of `dimensions`, row-major) as IDX file `file`, replacing it.
    ///
    /// - Throws: `Fault` when the sizes disagree or the file cannot be written.
    package static func write(file: String, dimensions: [Int], bytes: [UInt8]) throws(Fault) {
        guard (1...mostDimensions).contains(dimensions.count),
            dimensions.allSatisfy({ UInt32(exactly: $0) != nil }),
            product(dimensions) == bytes.count
        else {
            throw Fault(
                .internal, "\(bytes.count) bytes do not fill IDX dimensions \(dimensions)")
        }
        var header: [UInt8] = [0, 0, unsignedByte, UInt8(dimensions.count)]
        for dimension in dimensions {
            for shift in [24, 16, 8, 0] {
                header.append(UInt8(truncatingIfNeeded: dimension >> shift))
            }
        }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Fault(
                .storage, "cannot create \(file): \(errorText(errno))",
                remedy: "check that its directory exists and can be written")
        }
        let complete = writeAll(header, to: descriptor) && writeAll(bytes, to: descriptor)
        let error = errno
        guard close(descriptor) == 0, complete else {
            throw Fault(
                .storage, "cannot write \(file): \(errorText(error))",
                remedy: "check the space left on its disk")
        }
    }

    /// The product of `dimensions`; nil when it does not fit an Int.
    static func product(_ dimensions: some Sequence<Int>) -> Int? {
        var product = 1
        for dimension in dimensions {
            let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = buffer[written...]
                let count = Glibc.write(
                    descriptor, rest.base.baseAddress?.advanced(by: written),
                    rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }
}

/// An IDX file of unsigned bytes, opened; its rows are read on demand.
package struct IDXFile: Sendable {
    /// At least one; the first counts rows. Each is at least 1.
    package let dimensions: [Int]
    /// Bytes of one row: the product of the other dimensions.
    package let rowBytes: Int
    let file: InputFile

    package var count: Int { dimensions[0] }
    private var headerBytes: Int { 4 + 4 * dimensions.count }

    /// Opens `path` and checks its header against its size.
    ///
    /// - Throws: `Fault` naming `path` and what is wrong with it.
    package init(path: String) throws(Fault) {
        let file = try InputFile(path: path)
        dimensions = try IDXFile.readHeader(file)
        self.file = file
        guard let rowBytes = IDX.product(dimensions.dropFirst()),
            let total = IDX.product([rowBytes, dimensions[0]])
        else {
            throw Fault(
                .invalid, "\(path) states impossible dimensions \(dimensions)",
                remedy: "copy the file again")
        }
        self.rowBytes = rowBytes
        let held = file.size - 4 - 4 * dimensions.count
        guard held == total else {
            let difference =
                held < total
                ? "is truncated: \(total - held) bytes are missing"
                : "has \(held - total) bytes too many"
            throw Fault(
                .invalid, "\(path) \(difference), its header promises \(dimensions) bytes",
                remedy: "copy the file again")
        }
    }

    /// Fills `bytes`, a whole number of rows, with consecutive rows beginning with `row`.
    package func read(row: Int, into bytes: inout [UInt8]) throws(Fault) {
        precondition(row >= 0 && row + bytes.count / rowBytes <= count)
        try file.read(at: headerBytes + row * rowBytes, into: &bytes)
    }

    /// Fills `bytes` from `start` on with `count` consecutive rows beginning with `row`.
    func read(row: Int, count: Int, into bytes: inout [UInt8], at start: Int) throws(Fault) {
        precondition(row >= 0 && count >= 0 && row + count <= self.count)
        try file.read(
            at: headerBytes + row * rowBytes, into: &bytes, range: start..<start + count * rowBytes)
    }

    private static func readHeader(_ file: InputFile) throws(Fault) -> [Int] {
        let notIDX = Fault(
            .invalid, "\(file.path) is not an IDX file",
            remedy: "an IDX file begins with the bytes 0 0 8 and its number of dimensions")
        guard file.size >= 4 else { throw notIDX }
        let start = try bytes(of: file, count: 4)
        guard start[0] == 0, start[1] == 0, start[3] > 0, start[3] <= IDX.mostDimensions else {
            throw notIDX
        }
        guard start[2] == IDX.unsignedByte else {
            throw Fault(
                .invalid,
                "\(file.path) holds elements of IDX type \(start[2]), not unsigned bytes (8)",
                remedy: "convert it to unsigned bytes, or to CSV")
        }
        let count = 4 + 4 * Int(start[3])
        guard file.size >= count else {
            throw Fault(
                .invalid, "\(file.path) is truncated within its header",
                remedy: "copy the file again")
        }
        let header = try bytes(of: file, count: count)
        let dimensions = stride(from: 4, to: count, by: 4).map { at in
            header[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        guard dimensions.allSatisfy({ $0 > 0 }) else {
            throw Fault(
                .invalid, "\(file.path) holds no rows: its dimensions are \(dimensions)",
                remedy: "give this device at least one example")
        }
        return dimensions
    }

    private static func bytes(of file: InputFile, count: Int) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try file.read(at: 0, into: &bytes)
        return bytes
    }
}
