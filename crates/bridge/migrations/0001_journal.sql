-- The hub of the last welcome. Fences and jobs belong to a hub, so that a second hub starts its own count.
CREATE TABLE hub (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    hub_id TEXT NOT NULL
) STRICT;

-- The highest fence accepted per encoder: an offer that is not above it is stale.
CREATE TABLE fences (
    hub_id   TEXT NOT NULL,
    identity TEXT NOT NULL,
    fence    INTEGER NOT NULL,
    PRIMARY KEY (hub_id, identity)
) STRICT;

CREATE TABLE jobs (
    attempt_id        TEXT PRIMARY KEY,
    hub_id            TEXT NOT NULL,
    identity          TEXT NOT NULL,
    fence             INTEGER NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('encode', 'scan')),
    acs_credential_id TEXT,
    credential_number INTEGER,
    stage             TEXT NOT NULL CHECK (stage IN ('accepted', 'intent', 'outcome', 'acknowledged')),
    accepted_at       TEXT NOT NULL,
    -- Set before the first byte is written.
    grant_id          TEXT,
    uid               TEXT,
    digest            TEXT,
    copy              INTEGER,
    intent_at         TEXT,
    -- Set when the job ended; kept until the hub has committed it, and afterwards for questions.
    outcome           TEXT,
    outcome_kind      TEXT CHECK (outcome_kind IN ('written', 'unwritten', 'unknown', 'scanned')),
    ended_at          TEXT,
    acknowledged_at   TEXT,
    CHECK ((stage IN ('outcome', 'acknowledged')) = (outcome IS NOT NULL)),
    CHECK (stage <> 'intent' OR intent_at IS NOT NULL)
) STRICT;

CREATE INDEX jobs_unacknowledged ON jobs (fence) WHERE acknowledged_at IS NULL;
CREATE INDEX jobs_by_card ON jobs (uid) WHERE uid IS NOT NULL;
