// swift-tools-version: 6.2
import PackageDescription

// One target per responsibility; README.md shows the order in which a round visits them.

/// The executables for devices and auditors carry the Swift runtime, so that a target machine needs only Debian
/// packages.
let selfContained: [LinkerSetting] = [
    .unsafeFlags(["-static-stdlib", "-Xlinker", "--gc-sections"])
]

/// ArgumentParser uses FoundationEssentials, whose static library does not name these by itself.
let foundationEssentials: [LinkerSetting] = [
    .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
    .linkedLibrary("swiftSynchronization"),
]

/// tributary-verify runs on whatever an auditor has: libcrypto and the C library are all it needs. The
/// linker takes what it can from archives, in whatever order they are named; `linking` holds a linker
/// script that makes libstdc++ one of them.
let forAuditors: [LinkerSetting] = [
    .unsafeFlags([
        "-use-ld=lld", "-L\(Context.packageDirectory)/Sources/tributary-verify/linking",
        "-Xclang-linker", "-static-libgcc",
    ])
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "tributary",
    products: [
        .executable(name: "tributary-coordinator", targets: ["tributary-coordinator"]),
        .executable(name: "tributary-agentd", targets: ["tributary-agentd"]),
        .executable(name: "tributary-agent", targets: ["tributary-agent"]),
        .executable(name: "tributary-verify", targets: ["tributary-verify"]),
        .library(
            name: "Benchmarked",
            targets: [
                "CKernels", "Cryptography", "Federation", "Kernels", "Learning", "Privacy",
                "Provenance", "TLSClient", "UpdateCodec", "Wire",
            ]),
        .library(
            name: "Fuzzed",
            targets: [
                "Configuration", "Cryptography", "DataSets", "Federation", "Learning",
                "ModelFormats", "Provenance", "Verification", "Wire",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // C libraries of the system
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]
        ),
        // Without pkg-config, which would name the shared library too.
        .systemLibrary(name: "CJansson", providers: [.apt(["libjansson-dev"])]),

        // C and C++ of our own
        .target(
            name: "CTOML",
            cxxSettings: [
                .define("TOML_HEADER_ONLY", to: "0"), .define("TOML_SHARED_LIB", to: "1"),
            ],
            linkerSettings: [.linkedLibrary("tomlplusplus")]),
        .target(name: "CMessages", dependencies: ["CProtobufC"]),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),

        // The vocabulary and the pure core
        .target(name: "Federation"),
        .target(name: "Configuration", dependencies: ["Federation", "Privacy", "CTOML"]),
        .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"]),
        .target(name: "Learning", dependencies: ["Federation", "Kernels"]),
        .target(name: "DataSets", dependencies: ["Federation"]),
        .target(
            name: "ModelFormats",
            dependencies: ["Federation", "Learning", "CMessages", "CProtobufC"]),
        .target(name: "UpdateCodec", dependencies: ["Federation", "Kernels", "Privacy"]),
        .target(name: "Privacy", dependencies: ["Federation"]),
        .target(
            name: "Aggregation", dependencies: ["Federation", "Kernels", "UpdateCodec", "Privacy"]),
        .target(name: "Rounds", dependencies: ["Federation"]),
        .target(name: "AgentSession", dependencies: ["Federation"]),
        .target(
            name: "Simulation",
            dependencies: [
                "Federation", "Learning", "UpdateCodec", "Privacy", "Aggregation", "Rounds",
                "DataSets",
            ]),

        // Trust, messages, storage
        .target(name: "Cryptography", dependencies: ["Federation", "COpenSSL"]),
        .target(
            name: "TLSClient", dependencies: ["Federation", "Cryptography", "COpenSSL"],
            linkerSettings: [.linkedLibrary("ssl")]),
        .target(name: "Provenance", dependencies: ["Federation", "Cryptography", "CJansson"]),
        .target(
            name: "Verification",
            dependencies: ["Federation", "Cryptography", "Privacy", "Provenance"]),
        .target(name: "Wire", dependencies: ["Federation", "CMessages", "CProtobufC"]),
        .target(
            name: "Registry",
            dependencies: [
                "Federation", "Cryptography", "Provenance",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),

        // The shells
        .target(
            name: "CoordinatorService",
            dependencies: [
                "Federation", "Configuration", "Learning", "DataSets", "ModelFormats",
                "Kernels", "UpdateCodec", "Privacy", "Aggregation", "Rounds", "Cryptography",
                "Provenance",
                "Wire", "Registry", logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "AdminConsole",
            dependencies: ["Federation", "Wire", "Cryptography", "TLSClient", "Provenance"]),
        .target(
            name: "AgentService",
            dependencies: [
                "Federation", "AgentSession", "Configuration", "Kernels", "Learning", "DataSets",
                "ModelFormats", "UpdateCodec", "Cryptography", "TLSClient", "Provenance", "Wire",
                logging,
            ]),

        // The programs
        .executableTarget(
            name: "tributary-coordinator",
            dependencies: [
                "Federation", "Configuration", "CoordinatorService", "AdminConsole", "Wire",
                "Cryptography", "DataSets", "Kernels", "Learning", "Privacy", "Provenance",
                "Registry",
                "Simulation", argumentParser, logging,
            ]),
        .executableTarget(
            name: "tributary-agentd",
            dependencies: ["Federation", "Configuration", "AgentService", logging],
            linkerSettings: selfContained),
        .executableTarget(
            name: "tributary-agent",
            dependencies: ["Federation", "Configuration", "AgentService", argumentParser, logging],
            linkerSettings: selfContained + foundationEssentials),
        .executableTarget(
            name: "tributary-verify",
            dependencies: [
                "Federation", "Cryptography", "Provenance", "Verification", argumentParser,
            ],
            exclude: ["linking"],
            linkerSettings: selfContained + foundationEssentials + forAuditors),
    ],
    cxxLanguageStandard: .cxx17
)

/// Test targets and what each may use besides the target it tests.
let tests: [(name: String, dependencies: [Target.Dependency])] = [
    ("Federation", []),
    ("Configuration", ["Federation", "Privacy"]),
    ("Kernels", []),
    ("Learning", ["Federation", "Kernels"]),
    ("DataSets", ["Federation"]),
    ("ModelFormats", ["Federation", "Learning"]),
    ("UpdateCodec", ["Federation", "Kernels"]),
    ("Privacy", ["Federation"]),
    ("Aggregation", ["Federation", "UpdateCodec", "Privacy"]),
    ("Rounds", ["Federation"]),
    ("AgentSession", ["Federation"]),
    ("Simulation", ["Federation", "Learning", "UpdateCodec", "Privacy"]),
    ("Cryptography", ["Federation"]),
    ("TLSClient", ["Federation", "Cryptography"]),
    ("Provenance", ["Federation", "Cryptography", "ProvenanceSamples"]),
    (
        "Verification",
        ["Federation", "Cryptography", "Privacy", "Provenance", "ProvenanceSamples"]
    ),
    ("Wire", ["Federation"]),
    (
        "Registry",
        ["Federation", "Cryptography", "Provenance", .product(name: "GRDB", package: "GRDB.swift")]
    ),
    (
        "CoordinatorService",
        [
            "Federation", "Configuration", "Wire", "Registry", "Rounds", "Learning", "DataSets",
            "ModelFormats",
            "UpdateCodec", "Aggregation", "Privacy", "Cryptography", "TLSClient", "Provenance",
            "Verification",
        ]
    ),
    (
        "AgentService",
        [
            "Federation", "AgentSession", "Configuration", "Learning", "ModelFormats", "Wire",
            "Cryptography", "Provenance",
        ]
    ),
    ("AdminConsole", ["Federation", "Wire", "Cryptography", "Provenance"]),
]
/// Those whose tests read files of their Fixtures folder, in place.
let withFixtures: Set = ["Aggregation", "Kernels", "Privacy", "Provenance"]

package.targets += tests.map { test in
    .testTarget(
        name: "\(test.name)Tests", dependencies: [.target(name: test.name)] + test.dependencies,
        exclude: withFixtures.contains(test.name) ? ["Fixtures"] : [])
}
package.targets += [
    .target(
        name: "ProvenanceSamples", dependencies: ["Federation", "Cryptography", "Provenance"],
        path: "Tests/ProvenanceSamples"),
    // Runs the real coordinator and agent machines in one thread, against faults that a seed decides.
    .executableTarget(
        name: "FaultSimulation",
        dependencies: [
            "Federation", "AgentService", "AgentSession", "Aggregation", "Configuration",
            "CoordinatorService", "Cryptography", "Privacy", "Provenance", "Registry",
            "UpdateCodec", "Wire",
        ],
        path: "Tests/FaultSimulation"),
    .testTarget(name: "FaultTests", dependencies: ["FaultSimulation"]),
    .testTarget(name: "TidyTests"),
    .testTarget(
        name: "InteropTests",
        dependencies: [
            "Configuration", "Federation", "Learning", "Privacy", "Cryptography", "Provenance",
            "Verification",
        ],
        exclude: ["go", "python", "auditor.sh"]),
]

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
        ]
}

// Swift 6.3's optimiser crashes on some tests when a sanitizer is built in: see .ci/sanitize.
if Context.environment["TRIBUTARY_SANITIZER"] != nil {
    for target in package.targets where target.type == .test {
        target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-Onone"])]
    }
}
