-- +goose Up
-- What a journal report said of an arrival, JSON; empty: it came without one.
ALTER TABLE capture ADD COLUMN journal TEXT NOT NULL DEFAULT '';

-- Settings of a source beyond its name; the kind of the source says what they
-- are. Passwords and tokens are sealed with the tenant's key.
CREATE TABLE source_setting (
    source   BYTEA NOT NULL PRIMARY KEY REFERENCES source (id),
    tenant   BYTEA NOT NULL REFERENCES tenant (id),
    settings TEXT NOT NULL, -- JSON
    secret   BYTEA NOT NULL, -- empty: none
    checksum BYTEA NOT NULL
);

-- How a source that fetches fares. Nothing depends on it: it is for people.
CREATE TABLE source_state (
    source   BYTEA NOT NULL PRIMARY KEY REFERENCES source (id),
    tenant   BYTEA NOT NULL REFERENCES tenant (id),
    state    TEXT NOT NULL, -- JSON
    checksum BYTEA NOT NULL
);

-- Items that stay in a remote mailbox and are settled: archived, or known to be
-- impossible. What is deleted there needs no row.
CREATE TABLE source_item (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    source   BYTEA   NOT NULL REFERENCES source (id),
    folder   TEXT    NOT NULL, -- with its UIDVALIDITY
    item     TEXT    NOT NULL, -- a UID or UIDL
    outcome  TEXT    NOT NULL,
    bytes    BIGINT  NOT NULL,
    at       BIGINT  NOT NULL,
    detail   TEXT    NOT NULL,
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (source, folder, item)
);

-- How far a folder of a remote mailbox that keeps its messages has been read.
CREATE TABLE source_folder (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    source   BYTEA   NOT NULL REFERENCES source (id),
    folder   TEXT    NOT NULL,
    validity BIGINT  NOT NULL, -- UIDVALIDITY
    next     BIGINT  NOT NULL, -- every lower UID is settled, or has a row in source_item
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (source, folder)
);

-- +goose Down
DROP TABLE source_folder;
DROP TABLE source_item;
DROP TABLE source_state;
DROP TABLE source_setting;
ALTER TABLE capture DROP COLUMN journal;
