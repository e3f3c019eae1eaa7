import Federation
import Foundation
import GRDB
import Provenance
import Registry

/// A state directory as the version before the trust chain left it.
enum OlderRegistry {
    /// Makes `directory` with a plan of two versions, a published and an open round, and everything
    /// that belongs to them.
    static func make(in directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
        for text in blobs { try put(Array(text.utf8), in: directory) }
        let queue = try DatabaseQueue(path: directory + "/registry.sqlite")
        try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
            try db.execute(sql: schema)
            try db.execute(sql: migrations)
            for (number, leaf) in leaves.enumerated() {
                try db.execute(
                    sql: "INSERT INTO events VALUES (?, ?, ?, ?)",
                    arguments: [
                        number, Data(leaf.utf8),
                        Data(Merkle.leafHash(Array(leaf.utf8)).bytes), now + UInt64(number),
                    ])
            }
            try db.execute(sql: rows)
        }
    }

    /// Leaves said no time, and sealed nothing.
    static let leaves = [
        #"{"event":"fleetCreated","fleet":"home"}"#,
        #"{"event":"adminIssued","name":"admin","role":"admin"}"#,
        #"{"event":"tokenIssued"}"#, #"{"event":"agentEnrolled","agent":"agent-1"}"#,
        #"{"event":"planApplied","plan":"fashion"}"#,
        #"{"event":"modelSigned","plan":"fashion","version":0,"round":0}"#,
        #"{"event":"roundStarted","round":1}"#, #"{"event":"budgetCharged","round":1}"#,
        #"{"event":"roundSealed","round":1}"#,
        #"{"event":"modelSigned","plan":"fashion","version":1,"round":1}"#,
        #"{"event":"roundStarted","round":2}"#,
    ]

    private static let blobs = [
        "plan", "model 0", "model 1", "signature 0", "signature 1", "master 0", "master 1", "sum",
        "master",
    ]

    private static func put(_ bytes: [UInt8], in directory: String) throws {
        let name = digest(String(decoding: bytes, as: UTF8.self)).hex
        let shelf = "\(directory)/blobs/\(name.prefix(2))"
        try FileManager.default.createDirectory(atPath: shelf, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(shelf)/\(name)"))
    }

    private static func hex(_ text: String) -> String { "x'\(digest(text).hex)'" }

    private static let rows = """
        INSERT INTO tokens VALUES (\(hex("secret 1")), 2, 1, 1800000060, 1800000000);
        INSERT INTO agents (id, token, certificateSerial, certificateDigest,
            certificateExpiresUnix, enrolledUnix)
            VALUES ('agent-1', \(hex("secret 1")), '01', \(hex("c")), 1800001000, 1800000000);
        INSERT INTO plans VALUES ('fashion', 1, 'ready', '', 0.9, NULL);
        INSERT INTO plan_versions
            VALUES ('fashion', 1, \(hex("plan")), 'people', 'Fashion', 1800000000);
        INSERT INTO models VALUES ('fashion', 0, 0, \(hex("model 0")), 7, \(hex("signature 0")), 11,
            \(hex("master 0")), NULL, 0.5, 1800000000, NULL, NULL, NULL, NULL);
        INSERT INTO models VALUES ('fashion', 1, 1, \(hex("model 1")), 7, \(hex("signature 1")), 11,
            \(hex("master 1")), NULL, 0.6, 1800000000, 0, NULL, NULL, NULL);
        INSERT INTO model_files VALUES ('fashion', 1, 'model.onnx', \(hex("model 1")), 7);
        INSERT INTO jobs VALUES (1, 'fashion', 3, 1, 'running', '', '', 1800000000);
        INSERT INTO rounds VALUES (1, 1, 'fashion', 1, 'published', '', 0, 5, \(hex("lattice")),
            1800000000000, 1800000000004, \(hex("sum")), \(hex("master")), NULL, 1, 10, 20,
            'coordinator', 1, NULL, NULL);
        INSERT INTO rounds VALUES (2, 1, 'fashion', 1, 'training', '', 1, 6, \(hex("lattice 2")),
            1800000000005, NULL, NULL, NULL, NULL, NULL, 0, 0, 'coordinator', 1, NULL, NULL);
        INSERT INTO round_history VALUES (1, 0, 1, 'selecting', 1800000000000);
        INSERT INTO round_history VALUES (1, 1, 1, 'published', 1800000000004);
        INSERT INTO round_history VALUES (2, 0, 1, 'selecting', 1800000000005);
        INSERT INTO round_coins VALUES (1, 'agent-1', 1);
        INSERT INTO round_coins VALUES (2, 'agent-1', 1);
        INSERT INTO contributions VALUES (1, 1, 'agent-1', \(hex("update")), 100);
        INSERT INTO ledger
            VALUES ('fashion', 1, 1, 'people', 0.5, 0.25, 0.00001, 1.5, 1800000000);
        """

    private static let migrations = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES
            ('1 the main job'), ('2 distillation after rounds'), ('3 adaptive clipping');
        """

    private static let schema = """
        CREATE TABLE events (
            number INTEGER PRIMARY KEY,
            leaf BLOB NOT NULL,
            leafHash BLOB NOT NULL CHECK (length(leafHash) = 32),
            unix INTEGER NOT NULL
        ) STRICT;
        CREATE TRIGGER events_never_change BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
        CREATE TRIGGER events_never_go BEFORE DELETE ON events
            BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
        CREATE TABLE tokens (
            secretDigest BLOB PRIMARY KEY CHECK (length(secretDigest) = 32),
            uses INTEGER NOT NULL CHECK (uses > 0),
            used INTEGER NOT NULL CHECK (used BETWEEN 0 AND uses),
            expiresUnix INTEGER NOT NULL,
            createdUnix INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE agents (
            id TEXT PRIMARY KEY,
            token BLOB NOT NULL REFERENCES tokens,
            certificateSerial TEXT NOT NULL UNIQUE,
            certificateDigest BLOB NOT NULL CHECK (length(certificateDigest) = 32),
            certificateExpiresUnix INTEGER NOT NULL,
            enrolledUnix INTEGER NOT NULL,
            lastSeenUnix INTEGER NOT NULL DEFAULT 0,
            version TEXT NOT NULL DEFAULT '',
            cpuFeatures TEXT NOT NULL DEFAULT '',
            memoryKiB INTEGER NOT NULL DEFAULT 0,
            revokedUnix INTEGER,
            revokedReason TEXT NOT NULL DEFAULT ''
        ) STRICT;
        -- What agents say they hold; they may name plans that the coordinator does not know.
        CREATE TABLE agent_plans (
            agent TEXT NOT NULL REFERENCES agents,
            plan TEXT NOT NULL,
            planDigest BLOB,
            examples INTEGER NOT NULL,
            unreadable INTEGER NOT NULL,
            modelVersion INTEGER,
            PRIMARY KEY (agent, plan)
        ) STRICT;
        CREATE TABLE plans (
            id TEXT PRIMARY KEY,
            currentVersion INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('preparing', 'ready', 'failed')),
            detail TEXT NOT NULL,
            accuracyTeacher REAL,
            FOREIGN KEY (id, currentVersion) REFERENCES plan_versions (plan, version)
                DEFERRABLE INITIALLY DEFERRED
        ) STRICT;
        CREATE TABLE plan_versions (
            plan TEXT NOT NULL REFERENCES plans,
            version INTEGER NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            population TEXT NOT NULL,
            title TEXT NOT NULL,
            appliedUnix INTEGER NOT NULL,
            PRIMARY KEY (plan, version)
        ) STRICT;
        CREATE TABLE models (
            plan TEXT NOT NULL REFERENCES plans,
            version INTEGER NOT NULL,
            round INTEGER NOT NULL,
            modelDigest BLOB NOT NULL CHECK (length(modelDigest) = 32),
            modelSize INTEGER NOT NULL,
            signatureDigest BLOB NOT NULL CHECK (length(signatureDigest) = 32),
            signatureSize INTEGER NOT NULL,
            masterDigest BLOB NOT NULL CHECK (length(masterDigest) = 32),
            velocityDigest BLOB,
            accuracy REAL,
            createdUnix INTEGER NOT NULL,
            parentVersion INTEGER,
            PRIMARY KEY (plan, version),
            FOREIGN KEY (plan, parentVersion) REFERENCES models (plan, version)
        ) STRICT;
        CREATE TABLE model_files (
            plan TEXT NOT NULL,
            version INTEGER NOT NULL,
            name TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            size INTEGER NOT NULL,
            PRIMARY KEY (plan, version, name),
            FOREIGN KEY (plan, version) REFERENCES models (plan, version)
        ) STRICT;
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            plan TEXT NOT NULL REFERENCES plans,
            rounds INTEGER NOT NULL CHECK (rounds > 0),
            roundsDone INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'cancelled')),
            detail TEXT NOT NULL DEFAULT '',
            idempotencyKey TEXT NOT NULL,
            createdUnix INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX jobs_once ON jobs (plan, idempotencyKey) WHERE idempotencyKey <> '';
        -- AUTOINCREMENT: a round's number is never used again.
        -- owner and term are there to fence off a second coordinator.
        CREATE TABLE rounds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            attempt INTEGER NOT NULL,
            plan TEXT NOT NULL REFERENCES plans,
            job INTEGER NOT NULL REFERENCES jobs,
            phase TEXT NOT NULL CHECK (phase IN
                ('selecting', 'training', 'aggregating', 'sealing', 'published', 'abandoned')),
            reason TEXT NOT NULL DEFAULT '',
            baseVersion INTEGER NOT NULL,
            rotationSeed INTEGER NOT NULL,
            latticeID BLOB NOT NULL CHECK (length(latticeID) = 32),
            startedUnixMilliseconds INTEGER NOT NULL,
            endedUnixMilliseconds INTEGER,
            aggregateDigest BLOB,
            masterDigest BLOB,
            velocityDigest BLOB,
            publishedVersion INTEGER,
            bytesIn INTEGER NOT NULL DEFAULT 0,
            bytesOut INTEGER NOT NULL DEFAULT 0,
            owner TEXT NOT NULL,
            term INTEGER NOT NULL,
            FOREIGN KEY (plan, baseVersion) REFERENCES models (plan, version),
            FOREIGN KEY (plan, publishedVersion) REFERENCES models (plan, version),
            CHECK (phase NOT IN ('sealing', 'published')
                OR (aggregateDigest IS NOT NULL AND masterDigest IS NOT NULL)),
            CHECK ((phase = 'published') = (publishedVersion IS NOT NULL))
        ) STRICT;
        CREATE UNIQUE INDEX rounds_one_open ON rounds (plan)
            WHERE phase NOT IN ('published', 'abandoned');
        CREATE TABLE round_history (
            round INTEGER NOT NULL REFERENCES rounds,
            step INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            phase TEXT NOT NULL,
            unixMilliseconds INTEGER NOT NULL,
            PRIMARY KEY (round, step)
        ) STRICT;
        CREATE TABLE round_coins (
            round INTEGER NOT NULL REFERENCES rounds,
            agent TEXT NOT NULL REFERENCES agents,
            selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
            PRIMARY KEY (round, agent)
        ) STRICT;
        CREATE TABLE contributions (
            round INTEGER NOT NULL REFERENCES rounds,
            attempt INTEGER NOT NULL,
            agent TEXT NOT NULL REFERENCES agents,
            updateDigest BLOB NOT NULL CHECK (length(updateDigest) = 32),
            bytes INTEGER NOT NULL,
            PRIMARY KEY (round, attempt, agent)
        ) STRICT;
        CREATE TABLE ledger (
            plan TEXT NOT NULL REFERENCES plans,
            round INTEGER NOT NULL REFERENCES rounds,
            attempt INTEGER NOT NULL,
            population TEXT NOT NULL,
            noiseMultiplier REAL NOT NULL,
            samplingRate REAL NOT NULL,
            delta REAL NOT NULL,
            epsilonAfter REAL NOT NULL,
            chargedUnix INTEGER NOT NULL,
            PRIMARY KEY (plan, round, attempt)
        ) STRICT;
        CREATE INDEX ledger_by_population ON ledger (population);
        ALTER TABLE plans ADD COLUMN teacherDigest BLOB CHECK (length(teacherDigest) = 32);
        ALTER TABLE models ADD COLUMN heldOutBefore REAL;
        ALTER TABLE models ADD COLUMN heldOutAfter REAL
            CHECK ((heldOutAfter IS NULL) = (heldOutBefore IS NULL));
        ALTER TABLE models ADD COLUMN clippingNorm REAL CHECK (clippingNorm > 0);
        ALTER TABLE rounds ADD COLUMN clippingNorm REAL CHECK (clippingNorm > 0);
        ALTER TABLE rounds ADD COLUMN nextClippingNorm REAL CHECK (nextClippingNorm > 0);
        """
}
