-- How far an encoder's identity reaches. One that its device carries along belongs to one bridge of the site at a time:
-- the present holder keeps it (DESIGN 4).
ALTER TABLE encoders ADD COLUMN identity_scope TEXT NOT NULL DEFAULT 'computer'
    CHECK (identity_scope IN ('site', 'computer'));
CREATE UNIQUE INDEX one_encoder_of_a_site ON encoders (acs_system_id, identity) WHERE identity_scope = 'site';
