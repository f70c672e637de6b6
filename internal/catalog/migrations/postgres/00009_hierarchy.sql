-- +goose Up
-- Who sells archives to tenants and looks after them.
CREATE TABLE reseller (
    id         BYTEA    NOT NULL PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    host       TEXT    NOT NULL, -- under which its customers reach the archive; empty: none
    settings   TEXT    NOT NULL, -- JSON: limits, branding
    created_at BIGINT NOT NULL,
    checksum   BYTEA    NOT NULL
);
CREATE UNIQUE INDEX reseller_host ON reseller (host) WHERE host <> '';

CREATE TABLE reseller_logo (
    reseller BYTEA NOT NULL PRIMARY KEY REFERENCES reseller (id),
    hash     TEXT NOT NULL, -- by which everybody may get it
    png      BYTEA NOT NULL,
    checksum BYTEA NOT NULL
);
CREATE INDEX reseller_logo_hash ON reseller_logo (hash);

-- Users without a tenant who belong to a reseller; the others are operators.
CREATE TABLE reseller_user (
    user_id  BYTEA NOT NULL PRIMARY KEY REFERENCES "user" (id),
    reseller BYTEA NOT NULL REFERENCES reseller (id),
    checksum BYTEA NOT NULL
);
CREATE INDEX reseller_user_reseller ON reseller_user (reseller);

-- Who looks after a tenant, and its limits; without a row, the operator, and none.
CREATE TABLE tenant_care (
    tenant   BYTEA NOT NULL PRIMARY KEY REFERENCES tenant (id),
    reseller BYTEA NOT NULL, -- sixteen zero bytes: the operator
    settings TEXT NOT NULL, -- JSON: limits, shared addresses, since when it is in its state
    checksum BYTEA NOT NULL
);
CREATE INDEX tenant_care_reseller ON tenant_care (reseller);

-- Tenants that a shop has ordered: the same order makes the same tenant.
CREATE TABLE provision (
    owner      BYTEA    NOT NULL, -- the reseller; sixteen zero bytes: the operator
    reference  TEXT    NOT NULL, -- of the shop
    tenant     BYTEA    NOT NULL REFERENCES tenant (id),
    request    TEXT    NOT NULL, -- JSON, without passwords
    answer     TEXT    NOT NULL, -- JSON
    created_at BIGINT NOT NULL,
    checksum   BYTEA    NOT NULL,
    PRIMARY KEY (owner, reference)
);
CREATE INDEX provision_tenant ON provision (tenant);

-- What a tenant has used in a calendar month (UTC).
CREATE TABLE usage_month (
    tenant    BYTEA    NOT NULL REFERENCES tenant (id),
    month     TEXT    NOT NULL, -- 2006-01
    counted   BIGINT NOT NULL, -- messages up to this seq are counted, in this month or in others
    figures   TEXT    NOT NULL, -- JSON
    addresses TEXT    NOT NULL, -- JSON: those that had mail
    checksum  BYTEA    NOT NULL,
    PRIMARY KEY (tenant, month)
);

-- Tenants that were deleted, or are being deleted.
CREATE TABLE deletion (
    subject    BYTEA    NOT NULL PRIMARY KEY, -- the tenant, which is gone
    reseller   BYTEA    NOT NULL, -- sixteen zero bytes: it was the operator's
    state      TEXT    NOT NULL, -- deleting, done
    document   TEXT    NOT NULL, -- JSON: the certificate
    created_at BIGINT NOT NULL,
    checksum   BYTEA    NOT NULL
);

-- Secrets with which programs use the interface; only a hash of each is kept.
CREATE TABLE api_token (
    id         BYTEA    NOT NULL PRIMARY KEY,
    hash       BYTEA    NOT NULL UNIQUE, -- SHA-256
    tenant     BYTEA    NOT NULL, -- sixteen zero bytes: of the operator or a reseller
    reseller   BYTEA    NOT NULL, -- sixteen zero bytes: of the operator or a tenant
    settings   TEXT    NOT NULL, -- JSON: name, scopes, who made it
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- 0: never
    used       TEXT    NOT NULL, -- JSON: last use and from where
    checksum   BYTEA    NOT NULL
);

-- +goose Down
DROP TABLE api_token;
DROP TABLE deletion;
DROP TABLE usage_month;
DROP TABLE provision;
DROP TABLE tenant_care;
DROP TABLE reseller_user;
DROP TABLE reseller_logo;
DROP TABLE reseller;
