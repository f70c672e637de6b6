-- +goose Up
-- What a journal report said of an arrival, JSON; empty: it came without one.
ALTER TABLE capture ADD COLUMN journal TEXT NOT NULL DEFAULT '';

-- Settings of a source beyond its name; the kind of the source says what they
-- are. Passwords and tokens are sealed with the tenant's key.
CREATE TABLE source_setting (
    source   BLOB NOT NULL PRIMARY KEY REFERENCES source (id),
    tenant   BLOB NOT NULL REFERENCES tenant (id),
    settings TEXT NOT NULL, -- JSON
    secret   BLOB NOT NULL, -- empty: none
    checksum BLOB NOT NULL
) STRICT;

-- How a source that fetches fares. Nothing depends on it: it is for people.
CREATE TABLE source_state (
    source   BLOB NOT NULL PRIMARY KEY REFERENCES source (id),
    tenant   BLOB NOT NULL REFERENCES tenant (id),
    state    TEXT NOT NULL, -- JSON
    checksum BLOB NOT NULL
) STRICT;

-- Items that stay in a remote mailbox and are settled: archived, or known to be
-- impossible. What is deleted there needs no row.
CREATE TABLE source_item (
    tenant   BLOB    NOT NULL REFERENCES tenant (id),
    source   BLOB    NOT NULL REFERENCES source (id),
    folder   TEXT    NOT NULL, -- with its UIDVALIDITY
    item     TEXT    NOT NULL, -- a UID or UIDL
    outcome  TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    detail   TEXT    NOT NULL,
    checksum BLOB    NOT NULL,
    PRIMARY KEY (source, folder, item)
) STRICT;

-- How far a folder of a remote mailbox that keeps its messages has been read.
CREATE TABLE source_folder (
    tenant   BLOB    NOT NULL REFERENCES tenant (id),
    source   BLOB    NOT NULL REFERENCES source (id),
    folder   TEXT    NOT NULL,
    validity INTEGER NOT NULL, -- UIDVALIDITY
    next     INTEGER NOT NULL, -- every lower UID is settled, or has a row in source_item
    checksum BLOB    NOT NULL,
    PRIMARY KEY (source, folder)
) STRICT;

-- +goose Down
DROP TABLE source_folder;
DROP TABLE source_item;
DROP TABLE source_state;
DROP TABLE source_setting;
ALTER TABLE capture DROP COLUMN journal;
