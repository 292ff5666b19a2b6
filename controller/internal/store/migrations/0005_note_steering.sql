-- +goose Up
ALTER TABLE runs ADD COLUMN steered INTEGER NOT NULL DEFAULT 0; -- it was paused or its rate changed
