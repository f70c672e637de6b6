-- +goose Up
-- Addresses of other programs that are told of events. The secrets by which they know
-- who tells them are sealed with the instance key.
CREATE TABLE webhook (
    id         BYTEA   NOT NULL PRIMARY KEY,
    tenant     BYTEA   NOT NULL, -- sixteen zero bytes: of a reseller or the installation
    reseller   BYTEA   NOT NULL, -- sixteen zero bytes: of a tenant or the installation
    settings   TEXT    NOT NULL, -- JSON
    secret     BYTEA   NOT NULL,
    state      TEXT    NOT NULL, -- JSON
    next_at    BIGINT NOT NULL, -- nothing is sent before
    created_at BIGINT NOT NULL,
    checksum   BYTEA   NOT NULL
);

-- What was sent, or is to be. The same event is there once for each webhook.
CREATE TABLE webhook_delivery (
    id            BYTEA   NOT NULL PRIMARY KEY,
    webhook       BYTEA   NOT NULL,
    tenant        BYTEA   NOT NULL, -- of the webhook
    log           BYTEA   NOT NULL, -- the tenant in whose event log the event is; zero: the installation's
    seq           BIGINT NOT NULL, -- there
    kind          TEXT    NOT NULL,
    body          TEXT    NOT NULL, -- JSON, as it is sent
    state         TEXT    NOT NULL, -- waiting, sent, failed
    attempts      BIGINT NOT NULL,
    next_at       BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL, -- 0: nobody is at it
    created_at    BIGINT NOT NULL,
    tried_at      BIGINT NOT NULL, -- 0: never
    ended_at      BIGINT NOT NULL, -- 0: waiting
    result        TEXT    NOT NULL, -- JSON, of the last attempt; empty: none
    checksum      BYTEA   NOT NULL
);
CREATE UNIQUE INDEX webhook_delivery_event ON webhook_delivery (webhook, log, seq);
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_at);

-- How far an event log has been read for webhooks.
CREATE TABLE webhook_mark (
    tenant   BYTEA   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL, -- events below it were read
    checksum BYTEA   NOT NULL
);

-- What is going wrong, so that its begin and its end are told once.
CREATE TABLE trouble (
    tenant   BYTEA   NOT NULL, -- sixteen zero bytes: the installation
    kind     TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    since    BIGINT NOT NULL,
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (tenant, kind, object)
);

-- +goose Down
DROP TABLE trouble;
DROP TABLE webhook_mark;
DROP TABLE webhook_delivery;
DROP TABLE webhook;
