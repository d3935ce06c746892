-- When a decision was made, where that was not at its start: a log may be read late.

ALTER TABLE decisions ADD COLUMN made_at INTEGER; -- NULL: at its start
