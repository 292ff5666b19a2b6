-- +goose Up
ALTER TABLE presets ADD COLUMN targets TEXT NOT NULL DEFAULT ''; -- JSON without secrets, empty where it holds none
