-- +goose Up
-- User repositories of tenants. The secret is sealed with the instance key.
CREATE TABLE directory (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant     BLOB    NOT NULL REFERENCES tenant (id),
    kind       TEXT    NOT NULL, -- ldap, oidc, imap
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL, -- JSON
    secret     BLOB    NOT NULL, -- empty: none
    position   INTEGER NOT NULL, -- the order in which they are asked
    disabled   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

-- How they fare: the last synchronisation and the last problem.
CREATE TABLE directory_state (
    directory BLOB NOT NULL PRIMARY KEY REFERENCES directory (id),
    tenant    BLOB NOT NULL,
    state     TEXT NOT NULL, -- JSON
    checksum  BLOB NOT NULL
) STRICT;

-- Which user is whom in a directory. A user may be in several: read from one, logging in by another.
CREATE TABLE user_origin (
    user_id   BLOB NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    tenant    BLOB NOT NULL,
    directory BLOB NOT NULL REFERENCES directory (id),
    external  TEXT NOT NULL, -- lasting id in the directory
    details   TEXT NOT NULL, -- JSON: what came from there
    checksum  BLOB NOT NULL,
    PRIMARY KEY (user_id, directory),
    UNIQUE (directory, external)
) STRICT;
CREATE INDEX user_origin_tenant ON user_origin (tenant, directory);

-- +goose Down
DROP TABLE user_origin;
DROP TABLE directory_state;
DROP TABLE directory;
