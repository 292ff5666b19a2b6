-- +goose Up
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'; -- JSON, a list of texts
ALTER TABLE runs ADD COLUMN problems TEXT NOT NULL DEFAULT '[]'; -- JSON, warnings and errors of the log
ALTER TABLE runs ADD COLUMN exit_code INTEGER; -- NULL until there is one
ALTER TABLE runs ADD COLUMN deleted_at TEXT; -- it can be brought back until it is purged

-- What files of runs hold, once each.
CREATE TABLE blobs (
    hash TEXT PRIMARY KEY, -- SHA-256 of the content in hex
    body TEXT NOT NULL     -- sealed
);

-- The files of which a run was started, without their tokens.
CREATE TABLE run_files (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    file   TEXT NOT NULL,
    hash   TEXT NOT NULL REFERENCES blobs (hash),
    PRIMARY KEY (run_id, file)
);
CREATE INDEX run_files_by_hash ON run_files (hash);
