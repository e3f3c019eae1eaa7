import AgentService
import AgentSession
import Federation
import Foundation
import Testing

@Suite("What the kernel tells of a device")
struct DeviceProbeTests {
    let device: TemporaryDirectory

    init() throws { device = try TemporaryDirectory() }

    private func conditions(_ files: [String: String]) throws -> DeviceConditions {
        for (path, text) in files {
            let folder = URL(filePath: "\(device.path)/\(path)").deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try device.write(Array(text.utf8), to: path)
        }
        return DeviceProbe(root: device.path).conditions()
    }

    private func supply(_ name: String, _ attributes: [String: String]) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: attributes.map {
                ("sys/class/power_supply/\(name)/\($0)", "\($1)\n")
            })
    }

    @Test("load and memory are read")
    func loadAndMemory() throws {
        let found = try conditions([
            "proc/loadavg": "1.25 0.80 0.55 2/345 6789\n",
            "proc/meminfo": "MemTotal:  16000000 kB\nMemFree: 1 kB\nMemAvailable:   2048000 kB\n",
        ])
        #expect(found.load == 1.25)
        #expect(found.availableMemoryMiB == 2_000)
    }

    @Test("a device that tells nothing has no load, no memory, mains power and no route")
    func nothing() throws {
        let found = try conditions([:])
        #expect(found.load == nil && found.availableMemoryMiB == nil)
        #expect(found.power == .mains && found.interface == nil)
        let garbage = try conditions([
            "proc/loadavg": "", "proc/meminfo": "MemAvailable:\n",
            "proc/net/route": "Iface Destination\neth0 00000000 x\n",
            "proc/net/ipv6_route": "0000 00\n",
        ])
        #expect(garbage.load == nil && garbage.availableMemoryMiB == nil)
        #expect(garbage.interface == nil)
    }

    @Test("a supply that delivers is mains power, whatever the battery says")
    func mains() throws {
        let battery = supply(
            "BAT0", ["type": "Battery", "status": "Discharging", "capacity": "40"])
        #expect(try conditions(battery).power == .battery(percent: 40))
        #expect(
            try conditions(supply("AC", ["type": "Mains", "online": "0"])).power
                == .battery(percent: 40))
        #expect(try conditions(supply("AC", ["type": "Mains", "online": "1"])).power == .mains)
    }

    @Test("several batteries count together, those of a mouse and of an empty bay not at all")
    func batteries() throws {
        var files = supply("BAT0", ["type": "Battery", "status": "Discharging", "capacity": "80"])
        files.merge(
            supply("BAT1", ["type": "Battery", "status": "Unknown", "capacity": "20"])
        ) { $1 }
        files.merge(
            supply("hid", ["type": "Battery", "scope": "Device", "capacity": "1"])
        ) { $1 }
        files.merge(supply("BAT2", ["type": "Battery", "present": "0"])) { $1 }
        #expect(try conditions(files).power == .battery(percent: 50))
        #expect(
            try conditions(supply("BAT3", ["type": "Battery", "status": "Discharging"])).power
                == .battery(percent: nil))
        #expect(
            try conditions(supply("BAT0", ["type": "Battery", "status": "Charging"])).power
                == .mains)
    }

    @Test("the default route is that of IPv4 with the lowest metric that leads somewhere")
    func route() throws {
        let head =
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        let six =
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
            + "fe800000000000000000000000000001 00000400 00000000 00000000 00000003 eth6\n"
            + "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
            + "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo\n"
        #expect(try conditions(["proc/net/ipv6_route": six]).interface == "eth6")
        let found = try conditions([
            "proc/net/route": head
                + "wwan0\t00000000\t0100A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
                + "dead0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
                + "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
        ])
        #expect(found.interface == "wlan0")
    }

    @Test("a device that is taken to another zone has that zone's time")
    func zone() async {
        // The environment is the whole process's.
        await #expect(processExitsWith: .success) {
            var minutes: [Int] = []
            for zone in ["UTC0", "EAST-05:30"] {
                setenv("TZ", zone, 1)
                minutes.append(DeviceProbe().conditions().minuteOfDay)
            }
            let day = TimeWindow.minutesPerDay
            let ahead = (minutes[1] - minutes[0] + day) % day
            #expect((330...331).contains(ahead))
        }
    }

    @Test("this machine tells its load, its memory and its time")
    func here() {
        let found = DeviceProbe().conditions()
        #expect((found.load ?? -1) >= 0)
        #expect((found.availableMemoryMiB ?? 0) > 0)
        #expect((0..<TimeWindow.minutesPerDay).contains(found.minuteOfDay))
    }
}
