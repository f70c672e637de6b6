-- +goose Up
-- What a tenant has archived in a period that is over. It is added up from "account",
-- so that curves over years need not read every day of every source.
CREATE TABLE growth (
    tenant   BYTEA   NOT NULL REFERENCES tenant (id),
    unit     TEXT    NOT NULL, -- day, week, month, year; counted: period is the last day that is counted
    period   TEXT    NOT NULL, -- its first day, 2006-01-02, UTC
    messages BIGINT NOT NULL,
    bytes    BIGINT NOT NULL, -- of the originals
    stored   BIGINT NOT NULL, -- bytes in the vault when it was counted; 0: nobody has looked
    checksum BYTEA   NOT NULL,
    PRIMARY KEY (tenant, unit, period)
);

-- +goose Down
DROP TABLE growth;
