import GRDB

/// The registry's tables. A migration is never edited once released; a change is a new one at the
/// end.
enum Schema {
    /// Every migration by name, oldest first.
    ///
    /// - Parameter beginTrustChain: seals what an older registry holds.
    static func migrator(
        beginTrustChain: @escaping @Sendable (Database) throws -> Void
    ) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 the main job") { db in
            for table in [log, fleet, plans, rounds, ledger] { try db.execute(sql: table) }
        }
        migrator.registerMigration("2 distillation after rounds") { db in
            try db.execute(sql: distillation)
        }
        migrator.registerMigration("3 adaptive clipping") { db in
            try db.execute(sql: clippingNorms)
        }
        migrator.registerMigration("4 the trust chain") { db in
            for part in [tree, seals, people] { try db.execute(sql: part) }
            try beginTrustChain(db)
        }
        migrator.registerMigration("5 rounds that go on") { db in
            try db.execute(sql: continuation)
        }
        migrator.registerMigration("6 retention") { db in
            try db.execute(sql: retention)
        }
        return migrator
    }

    private static let log = """
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
        """

    private static let fleet = """
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
        """

    private static let plans = """
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
        """

    private static let rounds = """
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
        """

    // NULL: the plan's own. A round's own norm is that of its lattice; the next one is part of what
    // it releases, and becomes that of the version it publishes.
    private static let clippingNorms = """
        ALTER TABLE models ADD COLUMN clippingNorm REAL CHECK (clippingNorm > 0);
        ALTER TABLE rounds ADD COLUMN clippingNorm REAL CHECK (clippingNorm > 0);
        ALTER TABLE rounds ADD COLUMN nextClippingNorm REAL CHECK (nextClippingNorm > 0);
        """

    // A model's position is that of the leaf that says who signed it.
    private static let tree = """
        ALTER TABLE events ADD COLUMN salt BLOB CHECK (length(salt) = 32);
        ALTER TABLE models ADD COLUMN position INTEGER;
        CREATE TABLE log_nodes (
            level INTEGER NOT NULL CHECK (level > 0),
            position INTEGER NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            PRIMARY KEY (level, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE checkpoint (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            size INTEGER NOT NULL,
            note BLOB NOT NULL
        ) STRICT;
        """

    private static let seals = """
        CREATE TABLE sealed_rows (
            event INTEGER NOT NULL,
            facet TEXT NOT NULL,
            rowKey TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            PRIMARY KEY (event, facet, rowKey)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sealed_rows_by_row ON sealed_rows (facet, rowKey, event);
        """

    // The certificate before an agent's newest counts until the newest was used.
    private static let people = """
        ALTER TABLE agents ADD COLUMN previousCertificateDigest BLOB
            CHECK (length(previousCertificateDigest) = 32);
        ALTER TABLE agents ADD COLUMN certificateUsedUnix INTEGER;
        ALTER TABLE agents ADD COLUMN trustSetVersion INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE rounds ADD COLUMN commitmentSecret BLOB CHECK (length(commitmentSecret) = 32);
        CREATE TABLE people (
            name TEXT PRIMARY KEY,
            role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'auditor')),
            certificateSerial TEXT NOT NULL UNIQUE,
            certificateDigest BLOB NOT NULL CHECK (length(certificateDigest) = 32),
            certificateExpiresUnix INTEGER NOT NULL,
            issuedUnix INTEGER NOT NULL,
            revokedUnix INTEGER,
            revokedReason TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE TABLE refusals (
            agent TEXT NOT NULL REFERENCES agents,
            plan TEXT NOT NULL,
            version INTEGER NOT NULL,
            model BLOB NOT NULL CHECK (length(model) = 32),
            reason TEXT NOT NULL,
            refusedUnix INTEGER NOT NULL,
            PRIMARY KEY (agent, plan, version, model)
        ) STRICT;
        """

    // A deadline is of the monotonic clock of one boot of the machine. What a release says of the cohort
    // is NULL in private plans, and before it. A lost contribution was recorded, but is not in the sum.
    private static let continuation = """
        ALTER TABLE rounds ADD COLUMN bootID TEXT;
        ALTER TABLE rounds ADD COLUMN deadlineNanoseconds INTEGER
            CHECK ((deadlineNanoseconds IS NULL) = (bootID IS NULL));
        ALTER TABLE rounds ADD COLUMN releasedExamples INTEGER;
        ALTER TABLE rounds ADD COLUMN releasedRejected INTEGER;
        ALTER TABLE contributions ADD COLUMN lost INTEGER CHECK (lost = 1);
        ALTER TABLE plans ADD COLUMN pausedUnix INTEGER;
        ALTER TABLE plans ADD COLUMN pausedReason TEXT;
        CREATE INDEX rounds_by_job ON rounds (job);
        CREATE INDEX rounds_by_plan ON rounds (plan);
        """

    // NULL: the version's weights are kept.
    private static let retention = """
        ALTER TABLE models ADD COLUMN collectedUnix INTEGER;
        """

    private static let ledger = """
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
        """

    /// The accuracies on held-out public data are those of versions for which distillation was tried.
    private static let distillation = """
        ALTER TABLE plans ADD COLUMN teacherDigest BLOB CHECK (length(teacherDigest) = 32);
        ALTER TABLE models ADD COLUMN heldOutBefore REAL;
        ALTER TABLE models ADD COLUMN heldOutAfter REAL
            CHECK ((heldOutAfter IS NULL) = (heldOutBefore IS NULL));
        """
}
