-- +goose Up
-- Envelope addresses from header fields of a trusted mail server, JSON; empty: none.
ALTER TABLE capture ADD COLUMN hints TEXT NOT NULL DEFAULT '';

-- Domains of tenants. A domain belongs to one tenant only.
CREATE TABLE domain (
    name       TEXT    NOT NULL PRIMARY KEY, -- lower case, Unicode
    tenant     BYTEA   NOT NULL REFERENCES tenant (id),
    main       TEXT    NOT NULL, -- the domain whose alias it is; empty: none
    created_at BIGINT  NOT NULL,
    checksum   BYTEA   NOT NULL
);
CREATE INDEX domain_tenant ON domain (tenant);

-- Which addresses of a tenant are archived; without a row, all.
CREATE TABLE selection (
    tenant     BYTEA   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    enabled    BIGINT  NOT NULL,
    addresses  TEXT    NOT NULL, -- JSON
    changed_at BIGINT  NOT NULL,
    changed_by TEXT    NOT NULL,
    checksum   BYTEA   NOT NULL
);

-- What was not known to be the tenant's when it came. A message whose row has the
-- class "quarantine" has a row here; so have those that were released.
CREATE TABLE quarantine (
    tenant      BYTEA   NOT NULL REFERENCES tenant (id),
    aoid        BYTEA   NOT NULL,
    source      BYTEA   NOT NULL,
    received_at BIGINT  NOT NULL,
    size        BIGINT  NOT NULL,
    counted     BIGINT  NOT NULL, -- 0: its journal report was counted with another message
    reason      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    parties     TEXT    NOT NULL, -- JSON; of the message, once it is released
    state       TEXT    NOT NULL, -- waiting, kept, released
    decided_at  BIGINT  NOT NULL, -- 0: nobody has
    decided_by  TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    segment     BYTEA   NOT NULL, -- where the record of the decision rests; empty: there is none
    frame       BIGINT  NOT NULL,
    checksum    BYTEA   NOT NULL,
    PRIMARY KEY (tenant, aoid),
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid)
);
CREATE INDEX quarantine_state ON quarantine (tenant, state, aoid);
CREATE INDEX quarantine_segment ON quarantine (tenant, segment);

-- +goose Down
DROP TABLE quarantine;
DROP TABLE selection;
DROP TABLE domain;
ALTER TABLE capture DROP COLUMN hints;
