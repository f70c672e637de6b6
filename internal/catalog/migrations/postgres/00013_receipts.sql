-- +goose Up
-- The keys that sign checkpoints of the event logs. The one with the highest number
-- signs; the secrets of the others are destroyed.
CREATE TABLE log_key (
    number      BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 …
    instance    BYTEA NOT NULL, -- names the installation in checkpoints, for ever
    public      BYTEA NOT NULL, -- Ed25519
    secret      BYTEA NOT NULL, -- sealed with the instance key; empty: destroyed
    change_note TEXT NOT NULL, -- signed by the key before; empty: there was none
    created_at  BIGINT NOT NULL,
    checksum    BYTEA NOT NULL
);

-- Checkpoints that were handed out, one for a day of the tenant's time zone.
CREATE TABLE receipt (
    tenant   BYTEA NOT NULL REFERENCES tenant (id), -- sixteen zero bytes: the installation
    day      TEXT NOT NULL, -- 2006-01-02
    made_at  BIGINT NOT NULL,
    size     BIGINT NOT NULL, -- events that it covers
    key_number BIGINT NOT NULL, -- that signed it
    body     TEXT NOT NULL, -- the file
    filed    BIGINT NOT NULL, -- 1: it is in the directory for receipts
    mailed   BIGINT NOT NULL, -- 1: it is queued to be sent
    checksum BYTEA NOT NULL,
    PRIMARY KEY (tenant, day)
);

-- Who gets the receipts of a tenant, and when.
CREATE TABLE receipt_setting (
    tenant   BYTEA NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation
    settings TEXT NOT NULL, -- JSON
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE receipt_setting;
DROP TABLE receipt;
DROP TABLE log_key;
