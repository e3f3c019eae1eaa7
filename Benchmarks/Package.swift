// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Measurements against the limits of the machine they run on, `make bench`; and a crowd of devices that loads a coordinator,
// `make load`.

/// oneDNN is compared with where Debian's libdnnl-dev is installed.
let hasOneDNN = FileManager.default.fileExists(atPath: "/usr/include/dnnl.hpp")

/// The checkout's folder, by which SwiftPM knows the package whose declarations are measured though
/// they are not public.
let checkout = URL(filePath: Context.packageDirectory).deletingLastPathComponent()
let measured = String(
    checkout.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "tributary", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .target(name: "CPeak", cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "CLimits", cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: [.linkedLibrary("crypto")]),
        .target(
            name: "COneDNN", cxxSettings: hasOneDNN ? [.define("HAS_ONEDNN")] : [],
            linkerSettings: hasOneDNN ? [.linkedLibrary("dnnl")] : []),
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "CLimits", "CPeak", "COneDNN", .product(name: "Benchmarked", package: "tributary"),
            ],
            packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", measured])]),
        .executableTarget(
            name: "SimulateOverBareLoop",
            dependencies: [.product(name: "Benchmarked", package: "tributary")],
            packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", measured])]),
        .executableTarget(
            name: "FleetLoad",
            dependencies: [
                .product(name: "Benchmarked", package: "tributary"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", measured])]),
    ],
    cxxLanguageStandard: .cxx17
)
