-- +goose Up
-- Times are UTC milliseconds since 1970 (…_at), dates of messages seconds.
-- Identifiers and hashes are raw bytes. "checksum" guards all other columns of
-- its row, see sum.go.

CREATE TABLE tenant (
    id         BYTEA   NOT NULL PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    zone       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    checksum   BYTEA   NOT NULL
);

-- One row per tenant, locked by everything that numbers messages or events.
CREATE TABLE head (
    tenant         BYTEA   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    seq            BIGINT  NOT NULL, -- highest message.seq
    raw_bytes      BIGINT  NOT NULL, -- sum of message.size
    first_received BIGINT  NOT NULL, -- 0 without messages
    last_received  BIGINT  NOT NULL,
    events         BIGINT  NOT NULL, -- number of events
    peaks          BYTEA   NOT NULL, -- roots of the complete subtrees of the event log, largest first
    indexed        BIGINT  NOT NULL, -- messages up to this seq are in the index
    checksum       BYTEA   NOT NULL
);

CREATE TABLE "user" (
    id            BYTEA   NOT NULL PRIMARY KEY,
    tenant        BYTEA   NOT NULL, -- sixteen zero bytes: an operator
    login         TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    disabled      BIGINT  NOT NULL,
    created_at    BIGINT  NOT NULL,
    checksum      BYTEA   NOT NULL, -- covers the rows of user_address as well
    UNIQUE (tenant, login)
);
CREATE INDEX user_login ON "user" (login);

CREATE TABLE user_address (
    user_id  BYTEA   NOT NULL REFERENCES "user" (id),
    position BIGINT  NOT NULL,
    address  TEXT    NOT NULL,
    PRIMARY KEY (user_id, position)
);
CREATE INDEX user_address_address ON user_address (address);

CREATE TABLE session (
    token_hash BYTEA   NOT NULL PRIMARY KEY,
    user_id    BYTEA   NOT NULL REFERENCES "user" (id),
    tenant     BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    seen_at    BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    peer       TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    checksum   BYTEA   NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE source (
    id              BYTEA   NOT NULL PRIMARY KEY,
    tenant          BYTEA   NOT NULL REFERENCES tenant (id),
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    journal_address TEXT    NOT NULL, -- empty: none
    category        TEXT    NOT NULL,
    disabled        BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    checksum        BYTEA   NOT NULL,
    UNIQUE (tenant, kind, name)
);
CREATE UNIQUE INDEX source_journal_address ON source (journal_address) WHERE journal_address <> '';

CREATE TABLE segment (
    tenant     BYTEA   NOT NULL REFERENCES tenant (id),
    id         BYTEA   NOT NULL,
    size       BIGINT  NOT NULL,
    raw_size   BIGINT  NOT NULL,
    frames     BIGINT  NOT NULL,
    compacted  BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    checksum   BYTEA   NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE message (
    tenant         BYTEA   NOT NULL REFERENCES tenant (id),
    seq            BIGINT  NOT NULL,
    aoid           BYTEA   NOT NULL,
    sha256         BYTEA   NOT NULL,
    sha512         BYTEA   NOT NULL,
    size           BIGINT  NOT NULL,
    segment        BYTEA   NOT NULL,
    frame          BIGINT  NOT NULL,
    received_at    BIGINT  NOT NULL,
    date           BIGINT  NOT NULL,
    source         BYTEA   NOT NULL,
    class          TEXT    NOT NULL,
    checksum       BYTEA   NOT NULL, -- of the columns above
    category       TEXT    NOT NULL,
    tags           TEXT    NOT NULL, -- JSON
    parties        TEXT    NOT NULL, -- JSON
    facts          TEXT    NOT NULL, -- JSON
    facts_checksum BYTEA   NOT NULL, -- of the four columns above, the tenant and the AOID
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
);
CREATE UNIQUE INDEX message_seq ON message (tenant, seq);
CREATE UNIQUE INDEX message_aoid ON message (tenant, aoid);
CREATE UNIQUE INDEX message_sha256 ON message (tenant, sha256);
CREATE INDEX message_segment ON message (tenant, segment);

CREATE TABLE part (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    sha256   BYTEA   NOT NULL,
    size     BIGINT  NOT NULL,
    segment  BYTEA   NOT NULL,
    frame    BIGINT  NOT NULL,
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (tenant, sha256),
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
);
CREATE INDEX part_segment ON part (tenant, segment);

CREATE TABLE capture (
    tenant        BYTEA   NOT NULL REFERENCES tenant (id),
    id            BYTEA   NOT NULL,
    aoid          BYTEA   NOT NULL,
    source        BYTEA   NOT NULL,
    received_at   BIGINT  NOT NULL,
    envelope_from TEXT    NOT NULL,
    envelope_to   TEXT    NOT NULL, -- JSON
    peer          TEXT    NOT NULL,
    origin        TEXT    NOT NULL,
    item_key      BYTEA   NOT NULL,
    segment       BYTEA   NOT NULL,
    frame         BIGINT  NOT NULL,
    checksum      BYTEA   NOT NULL,
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid),
    FOREIGN KEY (tenant, segment) REFERENCES segment (tenant, id)
);
CREATE UNIQUE INDEX capture_id ON capture (tenant, id);
CREATE UNIQUE INDEX capture_item_key ON capture (tenant, item_key);
CREATE INDEX capture_aoid ON capture (tenant, aoid);
CREATE INDEX capture_segment ON capture (tenant, segment);

-- Messages the index has to learn again.
CREATE TABLE reindex (
    tenant BYTEA   NOT NULL,
    aoid   BYTEA   NOT NULL,
    ticket BIGINT  NOT NULL, -- new each time the message is queued
    PRIMARY KEY (tenant, aoid),
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid)
);

-- Completeness: where every offered message ended.
CREATE TABLE account (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    day      TEXT    NOT NULL, -- 2006-01-02, UTC
    source   BYTEA   NOT NULL,
    outcome  TEXT    NOT NULL,
    count    BIGINT  NOT NULL,
    bytes    BIGINT  NOT NULL,
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (tenant, day, source, outcome)
);

-- The event log. The leaf is the canonical JSON of the columns up to
-- details_hash; leaf_hash guards them as a check sum does elsewhere.
CREATE TABLE event (
    tenant       BYTEA   NOT NULL REFERENCES tenant (id),
    seq          BIGINT  NOT NULL,
    at           BIGINT  NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    object       TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    details_hash TEXT    NOT NULL,
    leaf_hash    BYTEA   NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- What an event tells about people. May be deleted; the log stays provable.
CREATE TABLE event_detail (
    tenant  BYTEA   NOT NULL,
    seq     BIGINT  NOT NULL,
    salt    BYTEA   NOT NULL,
    details TEXT    NOT NULL, -- JSON
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, seq) REFERENCES event (tenant, seq)
);

-- Inner nodes of the Merkle trees over event.leaf_hash. Only nodes over
-- 16 leaves and more are stored: the others are quickly computed.
CREATE TABLE event_node (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    level    BIGINT  NOT NULL,
    position BIGINT  NOT NULL,
    hash     BYTEA   NOT NULL,
    PRIMARY KEY (tenant, level, position)
);

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
