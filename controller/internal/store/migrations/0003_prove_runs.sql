-- +goose Up
ALTER TABLE targets ADD COLUMN read_token TEXT NOT NULL DEFAULT ''; -- sealed, empty where there is none

-- What Matomos show of runs.
CREATE TABLE proofs (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind   TEXT NOT NULL CHECK (kind IN ('before', 'reconciliation')),
    body   TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, kind)
);
