// swift-tools-version: 6.2
import PackageDescription

// One target per responsibility; README.md shows the order in which a round visits them.

/// Whether .ci/sanitize builds.
let isSanitized = Context.environment["TRIBUTARY_SANITIZER"] != nil

/// The executables carry the runtimes of Swift and C++, so that a target machine needs few Debian packages; the C library,
/// and libcrypto where it is used, are the machine's own. No function goes along that nothing calls, and no name that
/// nobody links with.
///
/// The linker takes what it can from archives, in whatever order they are named; `linking` holds a linker script that makes
/// libstdc++ one of them.
let selfContained: [LinkerSetting] = unlessSanitized([
    .unsafeFlags([
        "-static-stdlib", "-use-ld=lld",
        "-L\(Context.packageDirectory)/Sources/tributary-verify/linking",
        "-Xclang-linker", "-static-libgcc",
        "-Xlinker", "--gc-sections", "-Xlinker", "--no-export-dynamic",
    ])
])

/// A device runs Debian 12 or later, whose loader reads packed relocations. Functions whose code is the same are one.
let forDevices: [LinkerSetting] = unlessSanitized([
    .unsafeFlags(
        ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--icf=all"],
        .when(configuration: .release))
])

/// ArgumentParser uses FoundationEssentials, whose static library does not name these by itself.
let foundationEssentials: [LinkerSetting] = unlessSanitized([
    .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
    .linkedLibrary("swiftSynchronization"),
])
/// The same of Foundation, which the coordinator's packages use.
let foundation: [LinkerSetting] =
    foundationEssentials
    + unlessSanitized([.linkedLibrary("CoreFoundation"), .linkedLibrary("_FoundationICU")])

/// A sanitizer watches calls from one library to another: it would not see those to a runtime within the program.
func unlessSanitized(_ settings: [LinkerSetting]) -> [LinkerSetting] { isSanitized ? [] : settings }

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// A product of Hummingbird, which uses swift-configuration: one of its targets has the name of one of ours.
func hummingbird(_ product: String) -> Target.Dependency {
    .product(
        name: product, package: "hummingbird",
        moduleAliases: ["Configuration": "SwiftConfiguration"])
}

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
                "Aggregation", "CKernels", "Configuration", "Cryptography", "DataSets",
                "Federation", "Kernels", "Learning", "Privacy", "Provenance", "Simulation",
                "TLSClient", "UpdateCodec", "Wire",
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
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    ],
    targets: [
        // C libraries of the system
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]
        ),
        // Without pkg-config, which would name the shared library too.
        .systemLibrary(name: "CJansson", providers: [.apt(["libjansson-dev"])]),

        // C and C++ of our own
        .target(name: "COpenBLAS"),
        // Compiled from the headers; without what would bring in the C++ library's streams and locales.
        .target(
            name: "CTOML",
            cxxSettings: [
                .define("TOML_ENABLE_FORMATTERS", to: "0"), .define("TOML_FLOAT_CHARCONV", to: "1"),
                .unsafeFlags(["-Os"]),
            ]),
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
                "Federation", "Kernels", "Learning", "UpdateCodec", "Privacy", "Aggregation",
                "Rounds", "DataSets",
            ]),

        .target(name: "RunRecords", dependencies: ["Federation"]),

        // What a process tells those who watch it: metrics and log lines
        .target(name: "Telemetry", dependencies: ["Federation", logging]),

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
                "Wire", "Registry", "Telemetry", logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Dashboard",
            dependencies: [
                "Federation", "Configuration", "CoordinatorService", "Cryptography", "Privacy",
                "Provenance", "Registry", "RunRecords", "Verification", "Wire", logging,
                hummingbird("Hummingbird"), hummingbird("HummingbirdCore"),
                hummingbird("HummingbirdTLS"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            // In the program itself, so that it runs from wherever it was copied to.
            resources: [.embedInCode("Pages")]),
        // What the programs have in common towards the people at their terminals
        .target(name: "Console", dependencies: ["Federation", argumentParser]),
        .target(
            name: "AdminConsole",
            dependencies: [
                "Console", "Federation", "Wire", "Cryptography", "TLSClient", "Provenance",
            ]),
        .target(
            name: "AgentService",
            dependencies: [
                "Federation", "AgentSession", "Configuration", "Kernels", "Learning", "DataSets",
                "ModelFormats", "UpdateCodec", "Cryptography", "TLSClient", "Provenance", "Wire",
                "Telemetry", logging,
            ]),

        // The programs
        .executableTarget(
            name: "tributary-coordinator",
            dependencies: [
                "Console", "Federation", "Configuration", "CoordinatorService", "AdminConsole",
                "Dashboard", "Wire",
                "Cryptography", "DataSets", "Kernels", "Learning", "Privacy", "Provenance",
                "Registry", "RunRecords", "Simulation", argumentParser, logging,
            ],
            // Runs record which build they are of.
            linkerSettings: selfContained + foundation + [
                .unsafeFlags(["-Xlinker", "--build-id=sha1"])
            ]),
        .executableTarget(
            name: "tributary-agentd",
            dependencies: ["Federation", "Configuration", "AgentService", "Telemetry", logging],
            linkerSettings: selfContained + forDevices),
        .executableTarget(
            name: "tributary-agent",
            dependencies: [
                "Console", "Federation", "Configuration", "AgentService", argumentParser, logging,
            ],
            linkerSettings: selfContained + forDevices + foundationEssentials),
        .executableTarget(
            name: "tributary-verify",
            dependencies: [
                "Console", "Federation", "Cryptography", "Provenance", "Verification",
                argumentParser,
            ],
            exclude: ["linking"],
            linkerSettings: selfContained + foundationEssentials),
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
    ("Simulation", ["Federation", "Learning", "UpdateCodec", "Privacy", "DataSets"]),
    ("RunRecords", ["Federation"]),
    ("Telemetry", ["Federation", logging]),
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
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        ]
    ),
    (
        "AgentService",
        [
            "Federation", "AgentSession", "Configuration", "Learning", "ModelFormats", "Wire",
            "Cryptography", "Provenance", "Telemetry",
        ]
    ),
    (
        "Dashboard",
        [
            "Federation", "Configuration", "CoordinatorService", "Registry", "RunRecords",
            "Cryptography", "Privacy", "Provenance", "Wire", hummingbird("Hummingbird"),
            hummingbird("HummingbirdTesting"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]
    ),
    ("AdminConsole", ["Console", "Federation", "Wire", "Cryptography", "Provenance"]),
    ("Console", [argumentParser]),
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
    // Pieces of work whose instructions `.ci/guard` counts.
    .executableTarget(
        name: "HotPaths",
        dependencies: [
            "Aggregation", "Cryptography", "Federation", "Kernels", "Learning", "ModelFormats",
            "Privacy", "UpdateCodec", "Wire",
        ],
        path: "Tests/HotPaths"),
    .testTarget(name: "TidyTests"),
    .testTarget(
        name: "InteropTests",
        dependencies: [
            "Configuration", "Federation", "Learning", "Privacy", "Cryptography", "Provenance",
            "Verification",
        ],
        exclude: ["documents", "go", "prometheus", "python", "auditor.sh"]),
]

/// What is in every agent and never takes long: small matters there more than fast.
let small: Set = ["AgentService", "AgentSession", "Configuration", "Provenance", "Telemetry"]

for target in package.targets where target.type != .system {
    if small.contains(target.name) {
        target.swiftSettings =
            (target.swiftSettings ?? []) + [
                .unsafeFlags(["-Osize"], .when(configuration: .release))
            ]
    }
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            // So that the linker can leave a function out.
            .unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release)),
        ]
}

// Swift 6.3's optimiser crashes on some tests when a sanitizer is built in: see .ci/sanitize.
if isSanitized {
    for target in package.targets where target.type == .test {
        target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-Onone"])]
    }
}
