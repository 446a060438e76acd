-- Which attempt a request from an encoder PC began: nobody waits for it any more once that PC has lost it.
ALTER TABLE requests ADD COLUMN action_attempt_id TEXT REFERENCES attempts (action_attempt_id);
UPDATE requests SET action_attempt_id = json_extract(answer, '$.attempt_id');
CREATE INDEX requests_by_attempt ON requests (action_attempt_id);
