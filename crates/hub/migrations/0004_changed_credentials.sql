-- Credentials are changed and deleted, joined by way of joiners, and written in two formats.
ALTER TABLE credentials ADD COLUMN card_format TEXT CHECK (card_format IN ('rfid48', 'TLCode'));
-- The override whose issue number it has; its own id for an override. A stay has one number.
ALTER TABLE credentials ADD COLUMN stay_id TEXT REFERENCES credentials (acs_credential_id);
WITH RECURSIVE stays (acs_credential_id, stay_id) AS (
    SELECT acs_credential_id, acs_credential_id FROM credentials WHERE joiner_ids = '[]'
    UNION ALL
    SELECT c.acs_credential_id, s.stay_id FROM credentials c JOIN stays s
        ON json_extract(c.joiner_ids, '$[0]') = s.acs_credential_id
)
UPDATE credentials SET stay_id =
    (SELECT s.stay_id FROM stays s WHERE s.acs_credential_id = credentials.acs_credential_id);
CREATE INDEX credentials_by_stay ON credentials (stay_id);
-- Deleted ones stay: locks may know their numbers, and cards may still hold them.
ALTER TABLE credentials ADD COLUMN deleted_at INTEGER;
-- Its card was found wiped.
ALTER TABLE credentials ADD COLUMN is_discarded INTEGER NOT NULL DEFAULT 0;
-- Counts the changes of what is to be on the card. An attempt writes the state that it began with, or a newer one.
ALTER TABLE credentials ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE credentials ADD COLUMN changed_at INTEGER;
ALTER TABLE credentials ADD COLUMN written_revision INTEGER;
UPDATE credentials SET written_revision = 1 WHERE issued_at IS NOT NULL;
ALTER TABLE attempts ADD COLUMN credential_revision INTEGER;
UPDATE attempts SET credential_revision = 1 WHERE kind = 'encode';
