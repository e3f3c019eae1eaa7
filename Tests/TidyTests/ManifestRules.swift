/// Package.swift says what is there, and the tests cover it.
enum ManifestRules {
    /// Modules that come with the toolchain.
    private static let toolchain: Set = [
        "Swift", "Glibc", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization",
        "Testing", "PackageDescription", "_Differentiation", "RegexBuilder",
    ]

    /// Imports that a target's dependencies do not declare: they build by luck, in a certain order.
    static func undeclaredImports(_ files: [ProjectFile], _ manifest: Manifest) -> [Violation] {
        let declared = Dictionary(
            manifest.targets.map { ($0.name, Set($0.dependencies.map(\.name))) },
            uniquingKeysWith: { $0.union($1) })
        return files.flatMap { file -> [Violation] in
            guard let target = file.target, let names = declared[target] else { return [] }
            return file.imports.filter {
                !names.contains($0.module) && !toolchain.contains($0.module)
            }.map {
                Violation(
                    file, line: $0.line,
                    "Package.swift does not declare that \(target) depends on \($0.module)")
            }
        }
    }

    /// Folders without a target, and targets without a file. A folder with a manifest is a package of its own.
    static func strayTargets(_ files: [ProjectFile], _ manifest: Manifest) -> [Violation] {
        let folders = Set(files.compactMap(\.target))
        let targets = Set(manifest.targets.map(\.name))
        let packages = Set(files.filter { $0.name == "Package.swift" }.compactMap(\.target))
        return folders.subtracting(targets).subtracting(packages).sorted().map {
            Violation(path: $0, "Package.swift declares no target for this folder")
        }
            + targets.subtracting(folders).sorted().map {
                Violation(path: "Package.swift", "target \($0) has no files")
            }
    }

    /// Library targets of Swift without tests of their own. Programs are tested from outside, C through its Swift face.
    static func untested(_ files: [ProjectFile], _ manifest: Manifest) -> [Violation] {
        let swift = Set(files.filter { $0.isSwift && $0.isSource }.compactMap(\.target))
        let tested = Set(
            files.filter { $0.path.hasPrefix("Tests/") && $0.hasAttribute("Test") }
                .compactMap(\.target))
        return manifest.targets.filter {
            $0.type == "regular" && swift.contains($0.name) && !tested.contains("\($0.name)Tests")
        }.map { Violation(path: "Sources/\($0.name)", "has no tests in Tests/\($0.name)Tests") }
    }
}
