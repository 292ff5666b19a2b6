-- +goose Up
-- How fast Matomos answered their Reporting API.
CREATE TABLE report_benchmarks (
    id       TEXT PRIMARY KEY,
    url      TEXT NOT NULL, -- of the target, with
    site_id  INTEGER NOT NULL, -- its site
    began_at TEXT NOT NULL,
    baseline INTEGER NOT NULL DEFAULT 0, -- the site's others are compared with it
    body     TEXT NOT NULL -- JSON
);
CREATE UNIQUE INDEX report_baseline ON report_benchmarks (url, site_id) WHERE baseline;
