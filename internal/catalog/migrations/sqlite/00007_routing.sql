-- +goose Up
-- Envelope addresses from header fields of a trusted mail server, JSON; empty: none.
ALTER TABLE capture ADD COLUMN hints TEXT NOT NULL DEFAULT '';

-- Domains of tenants. A domain belongs to one tenant only.
CREATE TABLE domain (
    name       TEXT    NOT NULL PRIMARY KEY, -- lower case, Unicode
    tenant     BLOB    NOT NULL REFERENCES tenant (id),
    main       TEXT    NOT NULL, -- the domain whose alias it is; empty: none
    created_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;
CREATE INDEX domain_tenant ON domain (tenant);

-- Which addresses of a tenant are archived; without a row, all.
CREATE TABLE selection (
    tenant     BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id),
    enabled    INTEGER NOT NULL,
    addresses  TEXT    NOT NULL, -- JSON
    changed_at INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;

-- What was not known to be the tenant's when it came. A message whose row has the
-- class "quarantine" has a row here; so have those that were released.
CREATE TABLE quarantine (
    tenant      BLOB    NOT NULL REFERENCES tenant (id),
    aoid        BLOB    NOT NULL,
    source      BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    counted     INTEGER NOT NULL, -- 0: its journal report was counted with another message
    reason      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    parties     TEXT    NOT NULL, -- JSON; of the message, once it is released
    state       TEXT    NOT NULL, -- waiting, kept, released
    decided_at  INTEGER NOT NULL, -- 0: nobody has
    decided_by  TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    segment     BLOB    NOT NULL, -- where the record of the decision rests; empty: there is none
    frame       INTEGER NOT NULL,
    checksum    BLOB    NOT NULL,
    PRIMARY KEY (tenant, aoid),
    FOREIGN KEY (tenant, aoid) REFERENCES message (tenant, aoid)
) STRICT;
CREATE INDEX quarantine_state ON quarantine (tenant, state, aoid);
CREATE INDEX quarantine_segment ON quarantine (tenant, segment);

-- +goose Down
DROP TABLE quarantine;
DROP TABLE selection;
DROP TABLE domain;
ALTER TABLE capture DROP COLUMN hints;
