-- Encoders whose lock server makes the cards: they are offered orders, and leave is given for a card that is not there yet.
ALTER TABLE encoders ADD COLUMN is_issuing INTEGER NOT NULL DEFAULT 0;
-- What an encode has a lock server make, as JSON, frozen when the attempt began. Null for all others.
ALTER TABLE attempts ADD COLUMN card_order TEXT;

-- The UID of such a grant is null until the lock server has told it, if it ever does.
CREATE TABLE grants_to_be (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    grant_id          TEXT NOT NULL UNIQUE,
    action_attempt_id TEXT NOT NULL UNIQUE REFERENCES attempts (action_attempt_id),
    acs_credential_id TEXT NOT NULL REFERENCES credentials (acs_credential_id),
    acs_system_id     TEXT NOT NULL REFERENCES sites (acs_system_id),
    uid               TEXT,
    digest            TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('open', 'written', 'doubtful', 'released')),
    granted_at        INTEGER NOT NULL
) STRICT;
INSERT INTO grants_to_be (seq, grant_id, action_attempt_id, acs_credential_id, acs_system_id, uid, digest, state, granted_at)
    SELECT seq, grant_id, action_attempt_id, acs_credential_id, acs_system_id, uid, digest, state, granted_at FROM grants;
DROP TABLE grants;
ALTER TABLE grants_to_be RENAME TO grants;
CREATE INDEX grants_by_credential ON grants (acs_credential_id) WHERE state <> 'released';
CREATE INDEX grants_by_card ON grants (acs_system_id, uid) WHERE state <> 'released';
