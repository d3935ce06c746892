-- Each change of a row replaces its mark by another random number, so that a reader
-- finds out with little what has changed.

ALTER TABLE decisions ADD COLUMN mark bigint DEFAULT (random() * 9223372036854774784)::bigint;
