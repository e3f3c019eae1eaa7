import Federation
import Foundation

/// A directory that is removed with its contents when the test lets go of it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "agent-service-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Creates a folder of this name and returns its path.
    func folder(_ name: String) throws -> String {
        let folder = "\(path)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        return folder
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func contents(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }
}

struct NoSuchName: Error {}

func planID(_ name: String) throws -> PlanID {
    guard let plan = PlanID(name) else { throw NoSuchName() }
    return plan
}

/// The fault that `body` throws; nil when it throws none.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
    do throws(Fault) {
        try body()
        return nil
    } catch { return error }
}
