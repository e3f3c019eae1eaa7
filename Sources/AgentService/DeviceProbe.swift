package import AgentSession
import Glibc

/// Reads what the kernel tells of the device: procfs and sysfs.
package struct DeviceProbe: Sendable {
    private let root: String
    private static let mostBytes = 64 << 10
    /// Flags of a route that is up, and of one that leads nowhere.
    private static let (routeIsUp, routeRejects): (UInt32, UInt32) = (0x1, 0x200)

    /// - Parameter root: what the paths begin with; another directory than / stands in for a device in tests.
    package init(root: String = "") { self.root = root }

    /// The conditions but for what the agent has done itself.
    package func conditions() -> DeviceConditions {
        var conditions = DeviceConditions()
        conditions.load = load()
        conditions.availableMemoryMiB = availableMemoryMiB()
        conditions.power = power()
        conditions.interface = defaultInterface()
        conditions.minuteOfDay = Self.minuteOfDay()
        return conditions
    }

    private func load() -> Double? {
        lines("proc/loadavg").first?.first.flatMap { Double($0) }
    }

    private func availableMemoryMiB() -> Int? {
        lines("proc/meminfo", beginning: "MemAvailable:").first.flatMap {
            $0.count > 1 ? Int($0[1]) : nil
        }.map { $0 / 1024 }
    }

    /// Mains power when any supply delivers some, or when the device has no battery of its own.
    private func power() -> DeviceConditions.Power {
        let folder = "sys/class/power_supply"
        var charges: [Int?] = []
        for name in names(in: "\(root)/\(folder)") {
            func attribute(_ key: String) -> String? { word("\(folder)/\(name)/\(key)") }
            guard attribute("type") == "Battery" else {
                if let online = attribute("online"), online != "0" { return .mains }
                continue
            }
            // A mouse's battery says nothing of the device.
            if attribute("scope") == "Device" || attribute("present") == "0" { continue }
            if let status = attribute("status"), ["Charging", "Full"].contains(status) {
                return .mains
            }
            charges.append(attribute("capacity").flatMap { Int($0) })
        }
        guard !charges.isEmpty else { return .mains }
        let known = charges.compactMap { $0 }
        return .battery(
            percent: known.count == charges.count ? known.reduce(0, +) / known.count : nil)
    }

    /// Where the default route goes; that of IPv4 comes first, and then that of the lowest metric.
    private func defaultInterface() -> String? {
        var routes: [(name: String, metric: UInt32)] = []
        for fields in lines("proc/net/route").dropFirst() where fields.count >= 8 {
            guard fields[1] == "00000000", fields[7] == "00000000",
                let flags = UInt32(fields[3], radix: 16), leadsSomewhere(flags)
            else { continue }
            routes.append((fields[0], UInt32(fields[6]) ?? .max))
        }
        if routes.isEmpty {
            for fields in lines("proc/net/ipv6_route") where fields.count >= 10 {
                guard fields[0].allSatisfy({ $0 == "0" }), fields[1] == "00", fields[9] != "lo",
                    let flags = UInt32(fields[8], radix: 16), leadsSomewhere(flags)
                else { continue }
                routes.append((fields[9], UInt32(fields[5], radix: 16) ?? .max))
            }
        }
        return routes.min { $0.metric < $1.metric }?.name
    }

    private func leadsSomewhere(_ flags: UInt32) -> Bool {
        flags & Self.routeIsUp != 0 && flags & Self.routeRejects == 0
    }

    private static func minuteOfDay() -> Int {
        var seconds = time(nil)
        var parts = tm()
        // Unlike localtime, localtime_r stays with the zone that was the device's when it was first asked.
        tzset()
        localtime_r(&seconds, &parts)
        return Int(parts.tm_hour) * 60 + Int(parts.tm_min)
    }

    // MARK: Small files

    private func word(_ path: String) -> String? {
        lines(path).first?.first
    }

    /// The fields of each line that begins so, taken as bytes: the files are of ASCII, and read at every check-in.
    private func lines(_ path: String, beginning start: String = "") -> [[String]] {
        (contents(path) ?? []).split(separator: UInt8(ascii: "\n")).lazy
            .filter { $0.starts(with: start.utf8) }
            .map { line in
                line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                    .map { String(decoding: $0, as: UTF8.self) }
            }
            .filter { !$0.isEmpty }
    }

    /// The contents of a file that does not say how long it is; nil when it cannot be read.
    private func contents(_ path: String) -> [UInt8]? {
        let file = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while contents.count < Self.mostBytes {
            let count = read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            contents += piece[..<count]
        }
        return contents
    }
}
