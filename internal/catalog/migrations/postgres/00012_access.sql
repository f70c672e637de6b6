-- +goose Up
-- Requests for access to other people's mail, and what became of them.
CREATE TABLE access_request (
    tenant         BYTEA   NOT NULL REFERENCES tenant (id),
    id             BYTEA   NOT NULL,
    kind           TEXT    NOT NULL,
    addresses      TEXT    NOT NULL, -- JSON
    query          TEXT    NOT NULL, -- only what it finds; empty: everything
    mail_from      BIGINT  NOT NULL, -- date of mail, seconds, inclusive; 0: open
    mail_to        BIGINT  NOT NULL, -- exclusive; 0: open
    reason         TEXT    NOT NULL,
    covert         TEXT    NOT NULL, -- why the people concerned are not told; empty: they are
    requested_by   BYTEA   NOT NULL,
    requested_role TEXT    NOT NULL,
    requested_at   BIGINT  NOT NULL,
    valid_until    BIGINT  NOT NULL,
    state          TEXT    NOT NULL, -- waiting, approved, refused, withdrawn, ended
    decided_by     BYTEA   NOT NULL, -- empty: nobody has
    decided_role   TEXT    NOT NULL,
    decided_at     BIGINT  NOT NULL,
    note           TEXT    NOT NULL,
    ended_by       BYTEA   NOT NULL, -- who withdrew it or ended it early; empty: nobody
    ended_at       BIGINT  NOT NULL,
    checksum       BYTEA   NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- What was searched and read under a request.
CREATE TABLE access_record (
    tenant    BYTEA   NOT NULL,
    id        BYTEA   NOT NULL,
    request   BYTEA   NOT NULL,
    user_id   BYTEA   NOT NULL,
    at        BIGINT  NOT NULL,
    act       TEXT    NOT NULL,
    object    TEXT    NOT NULL, -- message; empty: a search
    query     TEXT    NOT NULL,
    addresses TEXT    NOT NULL, -- JSON: whose mail it was, of those of the request
    peer      TEXT    NOT NULL,
    checksum  BYTEA   NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, request) REFERENCES access_request (tenant, id)
);
CREATE INDEX access_record_request ON access_record (tenant, request, id);

-- Whether people learn who has read their mail; without a row, they do.
CREATE TABLE access_policy (
    tenant     BYTEA   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    silent     BIGINT  NOT NULL, -- 1: they do not
    changed_at BIGINT  NOT NULL,
    changed_by TEXT    NOT NULL,
    checksum   BYTEA   NOT NULL
);

-- +goose Down
DROP TABLE access_policy;
DROP TABLE access_record;
DROP TABLE access_request;
