-- +goose Up
-- Whether a tenant has shown that a domain is its own, by a record in the DNS.
CREATE TABLE domain_proof (
    name       TEXT    NOT NULL PRIMARY KEY, -- of the domain
    tenant     BYTEA   NOT NULL,
    proven_at  BIGINT NOT NULL, -- 0: it has not
    checked_at BIGINT NOT NULL,
    problem    TEXT    NOT NULL, -- code of what the last check met; empty: nothing
    checksum   BYTEA   NOT NULL
);

-- +goose Down
DROP TABLE domain_proof;
