-- +goose Up
CREATE TABLE config (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    revision   INTEGER NOT NULL,
    knobs      TEXT NOT NULL, -- JSON, env key to text
    secrets    TEXT NOT NULL, -- JSON, env key to sealed text
    updated_at TEXT NOT NULL
);
INSERT INTO config VALUES (1, 1, '{}', '{}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

CREATE TABLE presets (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL COLLATE NOCASE UNIQUE,
    description TEXT NOT NULL,
    knobs       TEXT NOT NULL, -- JSON, env key to text; no secrets
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);

CREATE TABLE funnels (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    body       TEXT NOT NULL, -- JSON of the funnel without its name
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE content (
    name       TEXT PRIMARY KEY CHECK (name IN ('urls', 'events')),
    body       BLOB NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE targets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    url        TEXT NOT NULL,
    site_id    INTEGER NOT NULL,
    token      TEXT NOT NULL, -- sealed, empty where there is none
    weight     INTEGER NOT NULL,
    enabled    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE routing (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    multi    INTEGER NOT NULL,
    strategy TEXT NOT NULL
);
INSERT INTO routing VALUES (1, 0, 'round-robin');

-- What the controller last wrote into the exchange folder, by file: base is the hash of the content as it was built,
-- next the hash of what it is about to write, so that a crash between the two is no edit by hand.
CREATE TABLE published (
    file TEXT PRIMARY KEY,
    base TEXT NOT NULL,
    next TEXT NOT NULL
);

-- The files of the plan that was started last.
CREATE TABLE plan (
    file TEXT PRIMARY KEY,
    body TEXT NOT NULL -- sealed
);

CREATE TABLE runs (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    seed       INTEGER NOT NULL,
    config     TEXT NOT NULL, -- JSON, secrets masked
    plan_hash  TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    reason     TEXT NOT NULL,
    summary    TEXT NOT NULL  -- JSON of the final ledger, empty until there is one
);
CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE minutes (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at     TEXT NOT NULL,
    body   TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, at)
);

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    address TEXT NOT NULL,
    action  TEXT NOT NULL,
    detail  TEXT NOT NULL
);
