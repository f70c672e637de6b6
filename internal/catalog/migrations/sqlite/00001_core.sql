-- +goose Up
-- Times are UTC milliseconds since 1970 (…_at), dates of messages seconds.
-- Identifiers and hashes are raw bytes. "checksum" guards all other columns of
-- its row, see sum.go.

-- Two processes may migrate at the same time. With this the slower one fails
-- and is rolled back, whatever the migration does. (On PostgreSQL a lock keeps
-- it waiting.)
CREATE UNIQUE INDEX schema_version_once ON schema_version (version_id);

CREATE TABLE tenant (
    id         BLOB    NOT NULL PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    zone       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;

-- One row per tenant, locked by everything that numbers messages or events.
CREATE TABLE head (
    tenant         BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id),
    seq            INTEGER NOT NULL, -- highest message.seq
    raw_bytes      INTEGER NOT NULL, -- sum of message.size
    first_received INTEGER NOT NULL, -- 0 without messages
    last_received  INTEGER NOT NULL,
    events         INTEGER NOT NULL, -- number of events
    peaks          BLOB    NOT NULL, -- roots of the complete subtrees of the event log, largest first
    indexed        INTEGER NOT NULL, -- messages up to this seq are in the index
    checksum       BLOB    NOT NULL
) STRICT;

CREATE TABLE "user" (
    id            BLOB    NOT NULL PRIMARY KEY,
    tenant        BLOB    NOT NULL, -- sixteen zero bytes: an operator
    login         TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    disabled      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    checksum      BLOB    NOT NULL, -- covers the rows of user_address as well
    UNIQUE (tenant, login)
) STRICT;
CREATE INDEX user_login ON "user" (login);

CREATE TABLE user_address (
    user_id  BLOB    NOT NULL REFERENCES "user" (id),
    position INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    PRIMARY KEY (user_id, position)
) STRICT;
CREATE INDEX user_address_address ON user_address (address);

CREATE TABLE session (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES "user" (id),
    tenant     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    peer       TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE source (
    id              BLOB    NOT NULL PRIMARY KEY,
    tenant          BLOB    NOT NULL REFERENCES tenant (id),
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    journal_address TEXT    NOT NULL, -- empty: none
    category        TEXT    NOT NULL,
    disabled        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    checksum        BLOB    NOT NULL,
    UNIQUE (tenant, kind, name)
) STRICT;
CREATE UNIQUE INDEX source_journal_address ON source (journal_address) WHERE journal_address <> '';

CREATE TABLE segment (
    tenant     BLOB    NOT NULL REFERENCES tenant (id),
    id         BLOB    NOT NULL,
    size       INTEGER NOT NULL,
    raw_size   INTEGER NOT NULL,
    frames     INTEGER NOT NULL,
    compacted  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE message (
    tenant         BLOB    NOT NULL REFERENCES tenant (id),
    seq            INTEGER NOT NULL,
    aoid           BLOB    NOT NULL,
    sha256         BLOB    NOT NULL,
    sha512         BLOB    NOT NULL,
    size           INTEGER NOT NULL,
    segment        BLOB    NOT NULL,
    frame          INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    date           INTEGER NOT NULL,
    source         BLOB    NOT NULL,
    class          TEXT    NOT NULL,
    checksum       BLOB    NOT NULL, -- of the columns above
    category       TEXT    NOT NULL,
    tags           TEXT    NOT NULL, -- JSON
    parties        TEXT    NOT NULL, -- JSON
    facts          TEXT    NOT NULL, -- JSON
    facts_checksum BLOB    NOT NULL, -- of the four columns above, the tenant and the AOID
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
) STRICT;
CREATE UNIQUE INDEX message_seq ON message (tenant, seq);
CREATE UNIQUE INDEX message_aoid ON message (tenant, aoid);
CREATE UNIQUE INDEX message_sha256 ON message (tenant, sha256);
CREATE INDEX message_segment ON message (tenant, segment);

CREATE TABLE part (
    tenant   BLOB    NOT NULL REFERENCES tenant (id),
    sha256   BLOB    NOT NULL,
    size     INTEGER NOT NULL,
    segment  BLOB    NOT NULL,
    frame    INTEGER NOT NULL,
    checksum BLOB    NOT NULL,
    PRIMARY KEY (tenant, sha256),
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
) STRICT;
CREATE INDEX part_segment ON part (tenant, segment);

CREATE TABLE capture (
    tenant        BLOB    NOT NULL REFERENCES tenant (id),
    id            BLOB    NOT NULL,
    aoid          BLOB    NOT NULL,
    source        BLOB    NOT NULL,
    received_at   INTEGER NOT NULL,
    envelope_from TEXT    NOT NULL,
    envelope_to   TEXT    NOT NULL, -- JSON
    peer          TEXT    NOT NULL,
    origin        TEXT    NOT NULL,
    item_key      BLOB    NOT NULL,
    segment       BLOB    NOT NULL,
    frame         INTEGER NOT NULL,
    checksum      BLOB    NOT NULL,
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid),
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
) STRICT;
CREATE UNIQUE INDEX capture_id ON capture (tenant, id);
CREATE UNIQUE INDEX capture_item_key ON capture (tenant, item_key);
CREATE INDEX capture_aoid ON capture (tenant, aoid);
CREATE INDEX capture_segment ON capture (tenant, segment);

-- Messages the index has to learn again.
CREATE TABLE reindex (
    tenant BLOB    NOT NULL,
    aoid   BLOB    NOT NULL,
    ticket INTEGER NOT NULL, -- new each time the message is queued
    PRIMARY KEY (tenant, aoid),
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid)
) STRICT;

-- Completeness: where every offered message ended.
CREATE TABLE account (
    tenant   BLOB    NOT NULL REFERENCES tenant (id),
    day      TEXT    NOT NULL, -- 2006-01-02, UTC
    source   BLOB    NOT NULL,
    outcome  TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    checksum BLOB    NOT NULL,
    PRIMARY KEY (tenant, day, source, outcome)
) STRICT;

-- The event log. The leaf is the canonical JSON of the columns up to
-- details_hash; leaf_hash guards them as a check sum does elsewhere.
CREATE TABLE event (
    tenant       BLOB    NOT NULL REFERENCES tenant (id),
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    object       TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    details_hash TEXT    NOT NULL,
    leaf_hash    BLOB    NOT NULL,
    PRIMARY KEY (tenant, seq)
) WITHOUT ROWID, STRICT;

-- What an event tells about people. May be deleted; the log stays provable.
CREATE TABLE event_detail (
    tenant  BLOB    NOT NULL,
    seq     INTEGER NOT NULL,
    salt    BLOB    NOT NULL,
    details TEXT    NOT NULL, -- JSON
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, seq) REFERENCES event (tenant, seq)
) WITHOUT ROWID, STRICT;

-- Inner nodes of the Merkle trees over event.leaf_hash. Only nodes over
-- 16 leaves and more are stored: the others are quickly computed.
CREATE TABLE event_node (
    tenant   BLOB    NOT NULL REFERENCES tenant (id),
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (tenant, level, position)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE event_node;
DROP TABLE event_detail;
DROP TABLE event;
DROP TABLE account;
DROP TABLE reindex;
DROP TABLE capture;
DROP TABLE part;
DROP TABLE message;
DROP TABLE segment;
DROP TABLE source;
DROP TABLE session;
DROP TABLE user_address;
DROP TABLE "user";
DROP TABLE head;
DROP TABLE tenant;
DROP INDEX schema_version_once;
