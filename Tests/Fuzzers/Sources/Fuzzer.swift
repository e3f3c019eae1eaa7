import Glibc

/// What the environment variable FUZZ_TARGET names, given to libFuzzer one input after another.
///
/// A finding is a crash, a time-out or memory without bounds; a parser that refuses its input does
/// what it should. With FUZZ_SEEDS set to a directory, the target's seeds are written there instead.
private let parse: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("set FUZZ_TARGET to one of: \(targets.keys.sorted().joined(separator: " "))")
        fflush(nil)
        _exit(2)
    }
    guard let directory = getenv("FUZZ_SEEDS").map({ String(cString: $0) }) else {
        return target.parse
    }
    do { try write(try target.seeds(), to: directory) } catch {
        print("cannot write the seeds of \(name): \(error)")
        fflush(nil)
        _exit(1)
    }
    _exit(0)
}()

private func write(_ seeds: [[UInt8]], to directory: String) throws {
    for (number, seed) in seeds.enumerated() {
        guard let file = fopen("\(directory)/seed-\(number)", "w") else {
            throw Unwritable(path: directory, code: errno)
        }
        defer { fclose(file) }
        guard fwrite(seed, 1, seed.count, file) == seed.count else {
            throw Unwritable(path: directory, code: errno)
        }
    }
}

private struct Unwritable: Error {
    let path: String
    let code: Int32
}

/// What libFuzzer calls with each input; 0 keeps it for the corpus.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    parse(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}
