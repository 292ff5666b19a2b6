-- +goose Up
-- Who is signed in, so that a restart of the controller signs nobody out.
CREATE TABLE sessions (
    hash    BLOB PRIMARY KEY, -- of the cookie, keyed by the API key
    ends_at TEXT NOT NULL
);

-- What was tried without the right key. It is a table of its own so that no number of tries pushes a change out of the audit log.
CREATE TABLE refusals (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    first_at TEXT NOT NULL,
    last_at  TEXT NOT NULL,
    address  TEXT NOT NULL,
    action   TEXT NOT NULL,
    status   INTEGER NOT NULL,
    tries    INTEGER NOT NULL
);
