// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Measurements against the limits of the machine they run on: `make bench`.

/// oneDNN is compared with where Debian's libdnnl-dev is installed.
let hasOneDNN = FileManager.default.fileExists(atPath: "/usr/include/dnnl.hpp")

/// The checkout's folder, by which SwiftPM knows the package whose declarations are measured though
/// they are not public.
let checkout = URL(filePath: Context.packageDirectory).deletingLastPathComponent()
let measured = String(
    checkout.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "tributary", path: "..")],
    targets: [
        .target(name: "CPeak", cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "COneDNN", cxxSettings: hasOneDNN ? [.define("HAS_ONEDNN")] : [],
            linkerSettings: hasOneDNN ? [.linkedLibrary("dnnl")] : []),
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "CPeak", "COneDNN", .product(name: "Benchmarked", package: "tributary"),
            ],
            packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", measured])]),
    ],
    cxxLanguageStandard: .cxx17
)
