-- +goose Up
-- User repositories of tenants. The secret is sealed with the instance key.
CREATE TABLE directory (
    id         BYTEA    NOT NULL PRIMARY KEY,
    tenant     BYTEA    NOT NULL REFERENCES tenant (id),
    kind       TEXT    NOT NULL, -- ldap, oidc, imap
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL, -- JSON
    secret     BYTEA    NOT NULL, -- empty: none
    position   BIGINT  NOT NULL, -- the order in which they are asked
    disabled   BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    checksum   BYTEA    NOT NULL,
    UNIQUE (tenant, name)
);

-- How they fare: the last synchronisation and the last problem.
CREATE TABLE directory_state (
    directory BYTEA NOT NULL PRIMARY KEY REFERENCES directory (id),
    tenant    BYTEA NOT NULL,
    state     TEXT NOT NULL, -- JSON
    checksum  BYTEA NOT NULL
);

-- Which user is whom in a directory. A user may be in several: read from one, logging in by another.
CREATE TABLE user_origin (
    user_id   BYTEA NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    tenant    BYTEA NOT NULL,
    directory BYTEA NOT NULL REFERENCES directory (id),
    external  TEXT NOT NULL, -- lasting id in the directory
    details   TEXT NOT NULL, -- JSON: what came from there
    checksum  BYTEA NOT NULL,
    PRIMARY KEY (user_id, directory),
    UNIQUE (directory, external)
);
CREATE INDEX user_origin_tenant ON user_origin (tenant, directory);

-- +goose Down
DROP TABLE user_origin;
DROP TABLE directory_state;
DROP TABLE directory;
