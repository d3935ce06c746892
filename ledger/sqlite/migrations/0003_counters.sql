-- What a detection counted and what it counted up to, beside the lines.

ALTER TABLE decisions ADD COLUMN counters TEXT CHECK (counters IS NULL OR json_valid(counters));
