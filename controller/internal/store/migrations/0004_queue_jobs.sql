-- +goose Up
-- Backfills, which go on one after the other. One that has begun is a row of runs too.
CREATE TABLE jobs (
    number      INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they came
    run_id      TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    payload     TEXT NOT NULL, -- JSON, what was asked for
    state       TEXT NOT NULL,
    queued_at   TEXT NOT NULL,
    started_at  TEXT,
    ended_at    TEXT,
    exit_code   INTEGER, -- NULL until there is one
    reason      TEXT NOT NULL,
    error       TEXT NOT NULL,
    restarts    INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    removed     INTEGER NOT NULL DEFAULT 0 -- only the latest is kept, for what was asked for last
);
