-- The first schema. Instants are milliseconds since 1970 UTC, ids are UUIDs as text; `seq` is commit order and what
-- pages of lists stand on.

-- One row: which database this is. Fences of the bridges are counted under this id (DESIGN 5, invariant 7).
CREATE TABLE hub (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    hub_id   TEXT NOT NULL
) STRICT;

CREATE TABLE workspaces (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

-- `short` finds the row, `hash` is SHA-256 of the rest; the key itself is nowhere.
CREATE TABLE api_keys (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id TEXT NOT NULL REFERENCES workspaces (workspace_id),
    name         TEXT NOT NULL,
    short        TEXT NOT NULL UNIQUE,
    hash         BLOB NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE sites (
    seq                    INTEGER PRIMARY KEY AUTOINCREMENT,
    acs_system_id          TEXT NOT NULL UNIQUE,
    workspace_id           TEXT NOT NULL REFERENCES workspaces (workspace_id),
    connected_account_id   TEXT NOT NULL UNIQUE,
    name                   TEXT NOT NULL,
    time_zone              TEXT NOT NULL,
    site_key_check         TEXT,
    next_credential_number INTEGER NOT NULL,
    created_at             INTEGER NOT NULL
) STRICT;

CREATE TABLE entrances (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    acs_entrance_id TEXT NOT NULL UNIQUE,
    acs_system_id   TEXT NOT NULL REFERENCES sites (acs_system_id),
    name            TEXT NOT NULL,
    category        TEXT NOT NULL CHECK (category IN ('guest', 'common')),
    -- A room, 1 to 32767, or the bit of a common door, 0 to 27 (CARDS 1).
    door            INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (acs_system_id, category, door),
    UNIQUE (acs_system_id, name)
) STRICT;

CREATE TABLE users (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    acs_user_id        TEXT NOT NULL UNIQUE,
    acs_system_id      TEXT NOT NULL REFERENCES sites (acs_system_id),
    full_name          TEXT NOT NULL,
    email_address      TEXT,
    phone_number       TEXT,
    schedule_starts_at INTEGER,
    schedule_ends_at   INTEGER,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_system ON users (acs_system_id);

CREATE TABLE bridges (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    bridge_id         TEXT NOT NULL UNIQUE,
    acs_system_id     TEXT NOT NULL REFERENCES sites (acs_system_id),
    name              TEXT NOT NULL,
    token_short       TEXT NOT NULL UNIQUE,
    token_hash        BLOB NOT NULL,
    -- The link generation: raised by each connection, compared by each hand-over.
    generation        INTEGER NOT NULL DEFAULT 0,
    pc_name           TEXT,
    version           TEXT,
    -- Whether its site key is the site's; encodes stop while it is not.
    site_key_agrees   INTEGER NOT NULL DEFAULT 1,
    created_at        INTEGER NOT NULL,
    UNIQUE (acs_system_id, name)
) STRICT;

CREATE TABLE encoders (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    acs_encoder_id TEXT NOT NULL UNIQUE,
    acs_system_id  TEXT NOT NULL REFERENCES sites (acs_system_id),
    bridge_id      TEXT NOT NULL REFERENCES bridges (bridge_id),
    identity       TEXT NOT NULL,
    display_name   TEXT NOT NULL,
    driver         TEXT NOT NULL,
    is_online      INTEGER NOT NULL,
    reason         TEXT,
    -- The last fence given.
    fence          INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    UNIQUE (bridge_id, identity)
) STRICT;
CREATE INDEX encoders_by_system ON encoders (acs_system_id);

CREATE TABLE credentials (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    acs_credential_id TEXT NOT NULL UNIQUE,
    acs_system_id     TEXT NOT NULL REFERENCES sites (acs_system_id),
    acs_user_id       TEXT REFERENCES users (acs_user_id),
    number            INTEGER NOT NULL,
    display_name      TEXT NOT NULL,
    card_function     TEXT NOT NULL CHECK (card_function IN ('guest', 'staff')),
    starts_at         INTEGER NOT NULL,
    ends_at           INTEGER,
    issue_number      INTEGER NOT NULL,
    is_override       INTEGER NOT NULL,
    auto_join         INTEGER,
    joiner_ids        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    issued_at         INTEGER,
    card_uid          TEXT,
    is_overridden     INTEGER NOT NULL DEFAULT 0,
    is_overwritten    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (acs_system_id, number)
) STRICT;
CREATE INDEX credentials_by_user ON credentials (acs_user_id);

CREATE TABLE credential_entrances (
    acs_credential_id TEXT NOT NULL REFERENCES credentials (acs_credential_id),
    acs_entrance_id   TEXT NOT NULL REFERENCES entrances (acs_entrance_id),
    PRIMARY KEY (acs_credential_id, acs_entrance_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_by_entrance ON credential_entrances (acs_entrance_id);

CREATE TABLE attempts (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    action_attempt_id TEXT NOT NULL UNIQUE,
    workspace_id      TEXT NOT NULL REFERENCES workspaces (workspace_id),
    acs_system_id     TEXT NOT NULL REFERENCES sites (acs_system_id),
    bridge_id         TEXT NOT NULL REFERENCES bridges (bridge_id),
    acs_encoder_id    TEXT NOT NULL REFERENCES encoders (acs_encoder_id),
    kind              TEXT NOT NULL CHECK (kind IN ('encode', 'scan')),
    acs_credential_id TEXT REFERENCES credentials (acs_credential_id),
    -- 0 for an attempt that ended before it was ever offered.
    fence             INTEGER NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('pending', 'success', 'error')),
    created_at        INTEGER NOT NULL,
    deadline          INTEGER NOT NULL,
    ended_at          INTEGER,
    -- With success: frozen JSON. With error: type and message.
    result            TEXT,
    error_type        TEXT,
    error_message     TEXT,
    -- What the bridge reported, also when it came after the end.
    outcome           TEXT CHECK (outcome IN ('written', 'unwritten', 'unknown', 'scanned')),
    CHECK ((kind = 'encode') = (acs_credential_id IS NOT NULL)),
    CHECK ((status = 'success') = (result IS NOT NULL)),
    CHECK ((status = 'error') = (error_type IS NOT NULL))
) STRICT;
-- One card at a time for each credential, over all encoders (DESIGN 5, invariant 1).
CREATE UNIQUE INDEX one_pending_encode ON attempts (acs_credential_id) WHERE status = 'pending';
CREATE INDEX pending_by_deadline ON attempts (deadline) WHERE status = 'pending';
CREATE INDEX pending_by_bridge ON attempts (bridge_id, seq) WHERE status = 'pending';
CREATE INDEX pending_by_encoder ON attempts (acs_encoder_id) WHERE status = 'pending';
CREATE INDEX attempts_by_workspace ON attempts (workspace_id, seq);

-- The hub's leave to write one credential on one UID. `open` until the outcome comes; every state but `released`
-- binds the credential to that UID for good.
CREATE TABLE grants (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    grant_id          TEXT NOT NULL UNIQUE,
    action_attempt_id TEXT NOT NULL UNIQUE REFERENCES attempts (action_attempt_id),
    acs_credential_id TEXT NOT NULL REFERENCES credentials (acs_credential_id),
    acs_system_id     TEXT NOT NULL REFERENCES sites (acs_system_id),
    uid               TEXT NOT NULL,
    digest            TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('open', 'written', 'doubtful', 'released')),
    granted_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX grants_by_credential ON grants (acs_credential_id) WHERE state <> 'released';
CREATE INDEX grants_by_card ON grants (acs_system_id, uid) WHERE state <> 'released';

-- Answers to requests from an encoder PC: the same request gets the same answer.
CREATE TABLE requests (
    bridge_id  TEXT NOT NULL REFERENCES bridges (bridge_id),
    request_id TEXT NOT NULL,
    answer     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (bridge_id, request_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    seq                  INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id             TEXT NOT NULL UNIQUE,
    workspace_id         TEXT NOT NULL REFERENCES workspaces (workspace_id),
    event_type           TEXT NOT NULL,
    occurred_at          INTEGER NOT NULL,
    acs_system_id        TEXT NOT NULL,
    connected_account_id TEXT NOT NULL,
    acs_credential_id    TEXT,
    acs_encoder_id       TEXT,
    acs_user_id          TEXT,
    acs_entrance_id      TEXT
) STRICT;
CREATE INDEX events_by_workspace ON events (workspace_id, seq);
