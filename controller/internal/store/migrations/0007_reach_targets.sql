-- +goose Up
-- How a target is reached beyond its address; all are empty for the usual way.
ALTER TABLE targets ADD COLUMN api_url TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN http_auth TEXT NOT NULL DEFAULT ''; -- sealed, as headers and proxy_url are
ALTER TABLE targets ADD COLUMN headers TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN tls_ca_file TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN tls_cert_file TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN tls_key_file TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN proxy_url TEXT NOT NULL DEFAULT '';
