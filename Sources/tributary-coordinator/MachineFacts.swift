import Federation
import Foundation
import Glibc
import Kernels
import RunRecords

/// What a run's record says of the program and the machine.
enum MachineFacts {
    static func machine(threads: Int) -> Machine {
        Machine(
            processor: processorName, instructionSet: CPU.instructionSet,
            processors: Threads.processors, threads: threads, system: systemName)
    }

    static var code: CodeVersion { CodeVersion(version: softwareVersion, build: buildID) }

    /// The most memory that this process had resident.
    static var peakMemoryMiB: Double {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        return kibibytes.flatMap { Double($0) }.map { $0 / 1024 } ?? 0
    }

    static var unixSeconds: UInt64 { UInt64(max(0, Date().timeIntervalSince1970)) }

    private static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        return name ?? "unknown"
    }

    private static var systemName: String {
        var names = utsname()
        uname(&names)
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        return [text(names.sysname), text(names.release), text(names.machine)]
            .joined(separator: " ")
    }

    /// What the linker found the program's digest to be: the ELF note GNU 3.
    private static let buildID: String? = {
        let program = FileHandle(forReadingAtPath: "/proc/self/exe")
        // Notes stand at the beginning, behind the headers.
        guard let start = try? program?.read(upToCount: 1 << 16) else { return nil }
        return ELFNotes([UInt8](start)).description(of: 3, by: "GNU").map(hexadecimal)
    }()
}

/// The notes in the beginning of a 64-bit little-endian ELF file.
private struct ELFNotes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What the note of that type and name says.
    func description(of type: Int, by name: String) -> [UInt8]? {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]),
            let table = number(at: 32, size: 8), let entry = number(at: 54, size: 2),
            let count = number(at: 56, size: 2)
        else { return nil }
        let noteSegment = 4
        for header in (0..<count).map({ table + $0 * entry })
        where number(at: header, size: 4) == noteSegment {
            guard let offset = number(at: header + 8, size: 8),
                let size = number(at: header + 32, size: 8),
                let found = find(type, name, in: offset..<offset + size)
            else { continue }
            return found
        }
        return nil
    }

    private func find(_ type: Int, _ name: String, in notes: Range<Int>) -> [UInt8]? {
        func padded(_ size: Int) -> Int { (size + 3) / 4 * 4 }
        var position = notes.lowerBound
        while position < notes.upperBound {
            guard let nameSize = number(at: position, size: 4),
                let size = number(at: position + 4, size: 4),
                let kind = number(at: position + 8, size: 4)
            else { return nil }
            let text = position + 12 + padded(nameSize)
            guard text + size <= bytes.count else { return nil }
            let owner = bytes[(position + 12)..<(position + 12 + nameSize)]
            if kind == type, owner.elementsEqual(name.utf8 + [0]) {
                return Array(bytes[text..<text + size])
            }
            position = text + padded(size)
        }
        return nil
    }

    private func number(at position: Int, size: Int) -> Int? {
        guard position >= 0, position + size <= bytes.count else { return nil }
        let value = (0..<size).reduce(UInt64(0)) {
            $0 | UInt64(bytes[position + $1]) << (8 * UInt64($1))
        }
        return value > Int32.max ? nil : Int(value)
    }
}
