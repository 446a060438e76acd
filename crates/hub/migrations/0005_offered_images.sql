-- What an encode is to write, as JSON: the state of the credential when the attempt began, however often it is offered.
-- Null for a scan, and for an encode of an earlier version, which is offered as its credential is then.
ALTER TABLE attempts ADD COLUMN image TEXT;
