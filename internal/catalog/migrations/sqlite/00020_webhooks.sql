-- +goose Up
-- Addresses of other programs that are told of events. The secrets by which they know
-- who tells them are sealed with the instance key.
CREATE TABLE webhook (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant     BLOB    NOT NULL, -- sixteen zero bytes: of a reseller or the installation
    reseller   BLOB    NOT NULL, -- sixteen zero bytes: of a tenant or the installation
    settings   TEXT    NOT NULL, -- JSON
    secret     BLOB    NOT NULL,
    state      TEXT    NOT NULL, -- JSON
    next_at    INTEGER NOT NULL, -- nothing is sent before
    created_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;

-- What was sent, or is to be. The same event is there once for each webhook.
CREATE TABLE webhook_delivery (
    id            BLOB    NOT NULL PRIMARY KEY,
    webhook       BLOB    NOT NULL,
    tenant        BLOB    NOT NULL, -- of the webhook
    log           BLOB    NOT NULL, -- the tenant in whose event log the event is; zero: the installation's
    seq           INTEGER NOT NULL, -- there
    kind          TEXT    NOT NULL,
    body          TEXT    NOT NULL, -- JSON, as it is sent
    state         TEXT    NOT NULL, -- waiting, sent, failed
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL, -- 0: nobody is at it
    created_at    INTEGER NOT NULL,
    tried_at      INTEGER NOT NULL, -- 0: never
    ended_at      INTEGER NOT NULL, -- 0: waiting
    result        TEXT    NOT NULL, -- JSON, of the last attempt; empty: none
    checksum      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhook_delivery_event ON webhook_delivery (webhook, log, seq);
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_at);

-- How far an event log has been read for webhooks.
CREATE TABLE webhook_mark (
    tenant   BLOB    NOT NULL PRIMARY KEY,
    seq      INTEGER NOT NULL, -- events below it were read
    checksum BLOB    NOT NULL
) STRICT;

-- What is going wrong, so that its begin and its end are told once.
CREATE TABLE trouble (
    tenant   BLOB    NOT NULL, -- sixteen zero bytes: the installation
    kind     TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    checksum BLOB    NOT NULL,
    PRIMARY KEY (tenant, kind, object)
) STRICT;

-- +goose Down
DROP TABLE trouble;
DROP TABLE webhook_mark;
DROP TABLE webhook_delivery;
DROP TABLE webhook;
