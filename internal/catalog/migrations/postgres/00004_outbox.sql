-- +goose Up
-- How mail leaves. The password is sealed with the instance key.
CREATE TABLE smarthost (
    tenant   BYTEA NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation
    settings TEXT NOT NULL, -- JSON
    secret   BYTEA NOT NULL, -- empty: none
    checksum BYTEA NOT NULL
);

-- Mail that is to be sent, was sent, or cannot be sent.
CREATE TABLE outbox (
    id            BYTEA   NOT NULL PRIMARY KEY,
    tenant        BYTEA   NOT NULL, -- sixteen zero bytes: the installation
    kind          TEXT    NOT NULL,
    item_key      TEXT    NOT NULL, -- what is queued again under the same key is the same; empty: none
    sender        TEXT    NOT NULL,
    recipients    TEXT    NOT NULL, -- JSON, with what became of each
    size          BIGINT NOT NULL,
    state         TEXT    NOT NULL, -- waiting, sent, failed
    attempts      BIGINT NOT NULL,
    next_at       BIGINT NOT NULL, -- not to be tried before
    claimed_until BIGINT NOT NULL, -- somebody is at it until then; 0: nobody
    created_at    BIGINT NOT NULL,
    tried_at      BIGINT NOT NULL, -- begin of the last attempt; 0: none
    ended_at      BIGINT NOT NULL, -- sent or given up; 0: waiting
    problem       TEXT    NOT NULL, -- JSON, of the last attempt; empty: none
    checksum      BYTEA   NOT NULL
);
CREATE UNIQUE INDEX outbox_item_key ON outbox (tenant, item_key) WHERE item_key <> '';
CREATE INDEX outbox_due ON outbox (state, next_at);

-- Bytes of mail that has not been sent, sealed with the instance key.
CREATE TABLE outbox_body (
    outbox   BYTEA NOT NULL PRIMARY KEY REFERENCES outbox (id),
    body     BYTEA NOT NULL,
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE outbox_body;
DROP TABLE outbox;
DROP TABLE smarthost;
