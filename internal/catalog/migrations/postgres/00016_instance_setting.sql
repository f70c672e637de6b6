-- +goose Up
-- Settings of the installation that are not in its configuration file. What is secret
-- is sealed with the instance key.
CREATE TABLE instance_setting (
    name     TEXT NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL, -- JSON
    secret   BYTEA NOT NULL, -- empty: none
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE instance_setting;
