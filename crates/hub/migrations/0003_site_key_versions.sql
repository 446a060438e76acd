-- A site key has versions while it is rolled: the check value of each, as the first bridge that had it told it.
CREATE TABLE site_keys (
    acs_system_id TEXT NOT NULL REFERENCES sites (acs_system_id),
    version       INTEGER NOT NULL,
    check_value   TEXT NOT NULL,
    PRIMARY KEY (acs_system_id, version)
) STRICT, WITHOUT ROWID;
INSERT INTO site_keys SELECT acs_system_id, 1, site_key_check FROM sites WHERE site_key_check IS NOT NULL;
ALTER TABLE sites DROP COLUMN site_key_check;
-- The newest version that a bridge has; 0 before it told one. It encodes with this one only.
ALTER TABLE bridges ADD COLUMN newest_site_key INTEGER NOT NULL DEFAULT 0;
