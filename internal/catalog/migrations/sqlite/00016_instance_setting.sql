-- +goose Up
-- Settings of the installation that are not in its configuration file. What is secret
-- is sealed with the instance key.
CREATE TABLE instance_setting (
    name     TEXT NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL, -- JSON
    secret   BLOB NOT NULL, -- empty: none
    checksum BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE instance_setting;
