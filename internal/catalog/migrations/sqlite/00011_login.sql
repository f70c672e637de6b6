-- +goose Up
-- Sessions say how far a log-in has come. Those that are open end: everybody logs
-- in once more.
DROP TABLE session;
CREATE TABLE session (
    token_hash   BLOB    NOT NULL PRIMARY KEY,
    id           BLOB    NOT NULL, -- names the session where its token must not be seen
    user_id      BLOB    NOT NULL REFERENCES "user" (id),
    tenant       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL, -- when somebody last proved to be the user
    peer         TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL,
    stage        TEXT    NOT NULL, -- empty: all of the user's rights; second, setup: none yet
    method       TEXT    NOT NULL, -- password, passkey, totp, recovery
    tries        INTEGER NOT NULL, -- of the second step
    challenge    BLOB    NOT NULL, -- JSON, what a passkey is to sign; empty: nothing
    checksum     BLOB    NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

-- One-time links. Used, replaced and withdrawn ones are gone.
CREATE TABLE login_link (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES "user" (id),
    tenant     BLOB    NOT NULL, -- sixteen zero bytes: of an operator
    purpose    TEXT    NOT NULL, -- welcome, reset
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    checksum   BLOB    NOT NULL,
    UNIQUE (user_id, purpose)
) STRICT;
CREATE INDEX login_link_expires ON login_link (expires_at);

-- Second factors, passkeys and recovery codes.
CREATE TABLE factor (
    id         BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES "user" (id),
    tenant     BLOB    NOT NULL,
    kind       TEXT    NOT NULL, -- totp, passkey, recovery
    name       TEXT    NOT NULL, -- what the user calls it
    secret     BLOB    NOT NULL, -- sealed with the instance key; of a recovery code its hash
    counter    INTEGER NOT NULL, -- of totp: the step whose code was used last
    confirmed  INTEGER NOT NULL, -- 0: being set up
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;
CREATE INDEX factor_by_user ON factor (user_id);

-- What a tenant, or the installation, asks of log-ins.
CREATE TABLE login_policy (
    tenant   BLOB NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation, for those who belong to no tenant
    settings TEXT NOT NULL, -- JSON
    checksum BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE login_policy;
DROP TABLE factor;
DROP TABLE login_link;
DROP TABLE session;
CREATE TABLE session (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES "user" (id),
    tenant     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    peer       TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    checksum   BLOB    NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);
