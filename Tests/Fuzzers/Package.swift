// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Fuzzers of every parser that reads what a stranger sent: `make fuzz`.

/// The checkout's folder, by which SwiftPM knows the package whose declarations are fuzzed though
/// they are not public.
let checkout = URL(filePath: Context.packageDirectory).deletingLastPathComponent()
    .deletingLastPathComponent()
let fuzzed = String(
    checkout.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })

let package = Package(
    name: "fuzzers",
    dependencies: [.package(name: "tributary", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzzer", dependencies: [.product(name: "Fuzzed", package: "tributary")],
            path: "Sources", packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", fuzzed, "-parse-as-library"])])
    ]
)
