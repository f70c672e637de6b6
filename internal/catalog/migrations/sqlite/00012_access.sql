-- +goose Up
-- Requests for access to other people's mail, and what became of them.
CREATE TABLE access_request (
    tenant         BLOB    NOT NULL REFERENCES tenant (id),
    id             BLOB    NOT NULL,
    kind           TEXT    NOT NULL,
    addresses      TEXT    NOT NULL, -- JSON
    query          TEXT    NOT NULL, -- only what it finds; empty: everything
    mail_from      INTEGER NOT NULL, -- date of mail, seconds, inclusive; 0: open
    mail_to        INTEGER NOT NULL, -- exclusive; 0: open
    reason         TEXT    NOT NULL,
    covert         TEXT    NOT NULL, -- why the people concerned are not told; empty: they are
    requested_by   BLOB    NOT NULL,
    requested_role TEXT    NOT NULL,
    requested_at   INTEGER NOT NULL,
    valid_until    INTEGER NOT NULL,
    state          TEXT    NOT NULL, -- waiting, approved, refused, withdrawn, ended
    decided_by     BLOB    NOT NULL, -- empty: nobody has
    decided_role   TEXT    NOT NULL,
    decided_at     INTEGER NOT NULL,
    note           TEXT    NOT NULL,
    ended_by       BLOB    NOT NULL, -- who withdrew it or ended it early; empty: nobody
    ended_at       INTEGER NOT NULL,
    checksum       BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

-- What was searched and read under a request.
CREATE TABLE access_record (
    tenant    BLOB    NOT NULL,
    id        BLOB    NOT NULL,
    request   BLOB    NOT NULL,
    user_id   BLOB    NOT NULL,
    at        INTEGER NOT NULL,
    act       TEXT    NOT NULL,
    object    TEXT    NOT NULL, -- message; empty: a search
    query     TEXT    NOT NULL,
    addresses TEXT    NOT NULL, -- JSON: whose mail it was, of those of the request
    peer      TEXT    NOT NULL,
    checksum  BLOB    NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, request) REFERENCES access_request (tenant, id)
) STRICT;
CREATE INDEX access_record_request ON access_record (tenant, request, id);

-- Whether people learn who has read their mail; without a row, they do.
CREATE TABLE access_policy (
    tenant     BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id),
    silent     INTEGER NOT NULL, -- 1: they do not
    changed_at INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE access_policy;
DROP TABLE access_record;
DROP TABLE access_request;
