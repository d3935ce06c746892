-- What the commands about the past ask for, and what deletes it in the end.

ALTER TABLE plans ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
ALTER TABLE plans ADD COLUMN cloud text NOT NULL DEFAULT '';
ALTER TABLE plans ADD COLUMN detail text; -- JSON
CREATE INDEX plans_by_time ON plans (started_at);

ALTER TABLE journal ADD COLUMN request_id text NOT NULL DEFAULT '';
CREATE INDEX journal_by_time ON journal (at);

DROP INDEX decisions_by_prefix;
CREATE INDEX decisions_by_prefix ON decisions (prefix_key, verdict);
CREATE INDEX decisions_revoked ON decisions (revoked_at) WHERE revoked_at IS NOT NULL;
