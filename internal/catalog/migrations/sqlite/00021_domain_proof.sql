-- +goose Up
-- Whether a tenant has shown that a domain is its own, by a record in the DNS.
CREATE TABLE domain_proof (
    name       TEXT    NOT NULL PRIMARY KEY, -- of the domain
    tenant     BLOB    NOT NULL,
    proven_at  INTEGER NOT NULL, -- 0: it has not
    checked_at INTEGER NOT NULL,
    problem    TEXT    NOT NULL, -- code of what the last check met; empty: nothing
    checksum   BLOB    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE domain_proof;
