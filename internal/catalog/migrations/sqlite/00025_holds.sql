-- +goose Up
-- What must not be deleted, without limit, and why.
CREATE TABLE hold (
    tenant      BLOB    NOT NULL REFERENCES tenant (id),
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    scope       TEXT    NOT NULL, -- JSON: what it covers
    placed_by   TEXT    NOT NULL, -- as in event.actor
    placed_role TEXT    NOT NULL,
    placed_at   INTEGER NOT NULL,
    lifted_at   INTEGER NOT NULL, -- 0: it is in force
    lifted_by   TEXT    NOT NULL, -- who asked for it, as in event.actor
    approved_by TEXT    NOT NULL,
    lift_reason TEXT    NOT NULL,
    checksum    BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

-- How long a tenant keeps what nothing classifies. Rows are added and never changed:
-- what is stored stays under those that were in force when it came.
CREATE TABLE retention_setting (
    tenant       BLOB    NOT NULL REFERENCES tenant (id),
    id           BLOB    NOT NULL,
    valid_from   INTEGER NOT NULL, -- 0: since ever
    years        INTEGER NOT NULL,
    jurisdiction TEXT    NOT NULL,
    year_end     INTEGER NOT NULL, -- last month of the business year
    zone         TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    set_by       TEXT    NOT NULL, -- as in event.actor
    approved_by  TEXT    NOT NULL, -- empty: it needed nobody else
    checksum     BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

-- +goose Down
DROP TABLE retention_setting;
DROP TABLE hold;
