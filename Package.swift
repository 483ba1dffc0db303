// swift-tools-version:6.2
import PackageDescription

let arrow = "\(Context.packageDirectory)/.arrow"

/// Settings of every Swift target: warnings are errors.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Settings of the targets that columns and bytes pass through: calls between them are inlined in release builds.
let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))
    ]

let package = Package(
    name: "auditlake",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "auditlake", targets: ["auditlake"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Native code behind plain C headers.
        .target(
            name: "CByteScan",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CCompression",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd")]
        ),
        .target(
            name: "CFileSystem",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CArrowParquet",
            cxxSettings: [
                .unsafeFlags(["-std=c++20", "-isystem", "\(arrow)/include", "-Wall", "-Wextra", "-Werror"])
            ],
            linkerSettings: [
                .unsafeFlags([
                    "-L\(arrow)/lib",
                    "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib",
                    "-Xlinker", "-rpath", "-Xlinker", "\(arrow)/lib",
                ]),
                .linkedLibrary("parquet"), .linkedLibrary("arrow"),
            ]
        ),
        .target(
            name: "CSimdJSON",
            dependencies: ["CByteScan"],
            cxxSettings: [.unsafeFlags(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror"])]
        ),
        .systemLibrary(name: "CPgQuery"),
        .systemLibrary(name: "CPostgres"),

        // Threads.
        .target(name: "Monitors", swiftSettings: hot),

        // Values: no I/O, no clock.
        .target(name: "Columnar", dependencies: ["CByteScan"], swiftSettings: hot),
        .target(name: "SQLText", dependencies: ["CByteScan", "CPgQuery"], swiftSettings: hot),
        .target(name: "PostgresSessions", dependencies: ["CByteScan"], swiftSettings: hot),
        .target(
            name: "AuditFormats",
            dependencies: [
                "CByteScan", "CSimdJSON", "Columnar", "PostgresSessions", "SQLText",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: hot
        ),
        .target(name: "JSONText", swiftSettings: hot),
        .target(name: "DeltaLog", dependencies: ["JSONText"], swiftSettings: hot),
        .target(name: "BatchProtocol", dependencies: ["CByteScan"], swiftSettings: strict),

        // One outside system each.
        .target(
            name: "Configuration",
            dependencies: [.product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .target(
            name: "ObjectStorage",
            dependencies: [
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    moduleAliases: ["Configuration": "SwiftConfiguration"]
                ),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .target(name: "ParquetFiles", dependencies: ["CArrowParquet", "Columnar"], swiftSettings: hot),
        .target(
            name: "DeltaTables",
            dependencies: ["Columnar", "DeltaLog", "ObjectStorage", "ParquetFiles"],
            swiftSettings: strict
        ),
        .target(
            name: "Catalog",
            dependencies: ["DeltaLog", "DeltaTables", "JSONText", "ObjectStorage"],
            swiftSettings: strict
        ),
        .target(
            name: "Intake",
            dependencies: [
                "BatchProtocol", "CByteScan", "CCompression", "CFileSystem", "Monitors", "ObjectStorage",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Warehouse",
            dependencies: [
                "CPostgres", "Columnar", "DeltaLog", "DeltaTables", "ObjectStorage", "ParquetFiles",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: hot
        ),

        // Assembly.
        .target(
            name: "Pipelines",
            dependencies: [
                "AuditFormats", "BatchProtocol", "Catalog", "Columnar", "DeltaLog", "DeltaTables", "Intake",
                "JSONText", "Monitors", "ObjectStorage", "ParquetFiles", "PostgresSessions",
            ],
            swiftSettings: hot
        ),
        .target(
            name: "Telemetry",
            dependencies: [
                "BatchProtocol", "Intake", "ObjectStorage", "Pipelines",
                .product(
                    name: "Hummingbird",
                    package: "hummingbird",
                    moduleAliases: ["Configuration": "SwiftConfiguration"]
                ),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(name: "Query", dependencies: ["Catalog", "DeltaTables"], swiftSettings: strict),
        .executableTarget(
            name: "auditlake",
            dependencies: [
                "AuditFormats", "BatchProtocol", "Catalog", "Configuration", "DeltaTables", "Intake",
                "ObjectStorage",
                "Pipelines", "Query", "Telemetry", "Warehouse",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // Doubles for tests.
        .target(
            name: "SimulatedDisk",
            dependencies: ["ObjectStorage"],
            path: "Tests/Support/SimulatedDisk",
            swiftSettings: strict
        ),
        .target(
            name: "SimulatedBucket",
            dependencies: ["Intake", "Monitors", "ObjectStorage"],
            path: "Tests/Support/SimulatedBucket",
            swiftSettings: strict
        ),

        .target(name: "SeededRandom", path: "Tests/Support/SeededRandom", swiftSettings: strict),

        .testTarget(name: "MonitorsTests", dependencies: ["Monitors"], swiftSettings: strict),
        .testTarget(
            name: "PostgresSessionsTests",
            dependencies: ["PostgresSessions", "SeededRandom"],
            swiftSettings: strict
        ),
        .testTarget(name: "ColumnarTests", dependencies: ["Columnar"], swiftSettings: strict),
        .testTarget(
            name: "SQLTextTests",
            dependencies: ["SQLText", "CPgQuery", "SeededRandom"],
            resources: [.copy("Corpus")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AuditFormatsTests",
            dependencies: [
                "AuditFormats", "Columnar", "PostgresSessions", "SeededRandom",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            exclude: ["CustomerCSV/Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "JSONTextTests",
            dependencies: ["JSONText", "SeededRandom"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DeltaLogTests",
            dependencies: ["DeltaLog", "JSONText", "SeededRandom"],
            exclude: ["Golden"],
            swiftSettings: strict
        ),
        .testTarget(name: "BatchProtocolTests", dependencies: ["BatchProtocol"], swiftSettings: strict),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration"], swiftSettings: strict),
        .testTarget(
            name: "ObjectStorageTests",
            dependencies: [
                "ObjectStorage", "SimulatedDisk",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ParquetFilesTests",
            dependencies: ["Columnar", "ParquetFiles"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DeltaTablesTests",
            dependencies: ["Columnar", "DeltaLog", "DeltaTables", "ObjectStorage", "ParquetFiles"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntakeTests",
            dependencies: ["BatchProtocol", "Intake", "ObjectStorage", "SeededRandom", "SimulatedBucket"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CatalogTests",
            dependencies: ["Catalog", "DeltaLog", "DeltaTables", "ObjectStorage"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PipelinesTests",
            dependencies: [
                "AuditFormats", "BatchProtocol", "Catalog", "DeltaLog", "DeltaTables", "Intake",
                "Monitors", "ObjectStorage", "ParquetFiles", "Pipelines", "Query", "SimulatedBucket",
                "SimulatedDisk",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "BatchProtocol", "Intake", "Pipelines", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Golden"],
            swiftSettings: strict
        ),
        .testTarget(name: "QueryTests", dependencies: ["Query"], swiftSettings: strict),
        .testTarget(
            name: "WarehouseTests",
            dependencies: [
                "Columnar", "DeltaLog", "DeltaTables", "ObjectStorage", "ParquetFiles", "Warehouse",
            ],
            exclude: ["Golden"],
            swiftSettings: strict
        ),
    ]
)
