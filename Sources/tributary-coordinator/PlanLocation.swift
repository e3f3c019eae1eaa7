import Cryptography
import Federation
import Foundation

/// Where a plan that somebody names is found.
struct PlanLocation {
    /// The plan's file.
    let path: String

    /// The file of that path, or the plan of that name in a plans directory.
    ///
    /// - Throws: `Fault.notFound` naming the directories that were searched.
    init(of plan: String) throws(Fault) {
        if plan.contains("/") || plan.hasSuffix(".toml") || PlanLocation.isFile(plan) {
            path = plan
            return
        }
        let directories = PlanLocation.directories
        let found = directories.map { "\($0)/\(plan).toml" }.first(where: PlanLocation.isFile)
        guard let found else {
            throw Fault(
                .notFound,
                "there is no plan '\(plan)': no file of that name, and no \(plan).toml in "
                    + directories.joined(separator: ", "),
                remedy: "name the plan's file, or put it in one of these directories")
        }
        path = found
    }

    /// The plans of the working directory, of the administrator, and those that came with the program.
    private static var directories: [String] {
        let environment = ProcessInfo.processInfo.environment
        var directories = ["plans", "coordinator-config/plans"]
        if let named = environment["TRIBUTARY_PLANS"], !named.isEmpty {
            directories.insert(named, at: 0)
        }
        if let settings = environment["XDG_CONFIG_HOME"], !settings.isEmpty {
            directories.append("\(settings)/tributary/plans")
        } else if let home = environment["HOME"], !home.isEmpty {
            directories.append("\(home)/.config/tributary/plans")
        }
        directories.append("/etc/tributary/plans")
        return directories + shipped
    }

    /// Beside a program in .build/release or bin.
    private static var shipped: [String] {
        var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        for _ in 0..<5 where folder.path != "/" {
            folder.deleteLastPathComponent()
            for name in ["coordinator-config/plans", "share/tributary/plans"] {
                let path = folder.appending(path: name).path
                if FileManager.default.fileExists(atPath: path) { return [path] }
            }
        }
        return []
    }

    private static func isFile(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            && !isDirectory.boolValue
    }
}
