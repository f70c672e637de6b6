-- +goose Up
-- How mail leaves. The password is sealed with the instance key.
CREATE TABLE smarthost (
    tenant   BLOB NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation
    settings TEXT NOT NULL, -- JSON
    secret   BLOB NOT NULL, -- empty: none
    checksum BLOB NOT NULL
) STRICT;

-- Mail that is to be sent, was sent, or cannot be sent.
CREATE TABLE outbox (
    id            BLOB    NOT NULL PRIMARY KEY,
    tenant        BLOB    NOT NULL, -- sixteen zero bytes: the installation
    kind          TEXT    NOT NULL,
    item_key      TEXT    NOT NULL, -- what is queued again under the same key is the same; empty: none
    sender        TEXT    NOT NULL,
    recipients    TEXT    NOT NULL, -- JSON, with what became of each
    size          INTEGER NOT NULL,
    state         TEXT    NOT NULL, -- waiting, sent, failed
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL, -- not to be tried before
    claimed_until INTEGER NOT NULL, -- somebody is at it until then; 0: nobody
    created_at    INTEGER NOT NULL,
    tried_at      INTEGER NOT NULL, -- begin of the last attempt; 0: none
    ended_at      INTEGER NOT NULL, -- sent or given up; 0: waiting
    problem       TEXT    NOT NULL, -- JSON, of the last attempt; empty: none
    checksum      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_item_key ON outbox (tenant, item_key) WHERE item_key <> '';
CREATE INDEX outbox_due ON outbox (state, next_at);

-- Bytes of mail that has not been sent, sealed with the instance key.
CREATE TABLE outbox_body (
    outbox   BLOB NOT NULL PRIMARY KEY REFERENCES outbox (id),
    body     BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE outbox_body;
DROP TABLE outbox;
DROP TABLE smarthost;
