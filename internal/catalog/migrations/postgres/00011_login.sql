-- +goose Up
-- Sessions say how far a log-in has come. Those that are open end: everybody logs
-- in once more.
DROP TABLE session;
CREATE TABLE session (
    token_hash   BYTEA    NOT NULL PRIMARY KEY,
    id           BYTEA    NOT NULL, -- names the session where its token must not be seen
    user_id      BYTEA    NOT NULL REFERENCES "user" (id),
    tenant       BYTEA    NOT NULL,
    created_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL, -- when somebody last proved to be the user
    peer         TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL,
    stage        TEXT    NOT NULL, -- empty: all of the user's rights; second, setup: none yet
    method       TEXT    NOT NULL, -- password, passkey, totp, recovery
    tries        BIGINT NOT NULL, -- of the second step
    challenge    BYTEA    NOT NULL, -- JSON, what a passkey is to sign; empty: nothing
    checksum     BYTEA    NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

-- One-time links. Used, replaced and withdrawn ones are gone.
CREATE TABLE login_link (
    token_hash BYTEA    NOT NULL PRIMARY KEY,
    user_id    BYTEA    NOT NULL REFERENCES "user" (id),
    tenant     BYTEA    NOT NULL, -- sixteen zero bytes: of an operator
    purpose    TEXT    NOT NULL, -- welcome, reset
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    checksum   BYTEA    NOT NULL,
    UNIQUE (user_id, purpose)
);
CREATE INDEX login_link_expires ON login_link (expires_at);

-- Second factors, passkeys and recovery codes.
CREATE TABLE factor (
    id         BYTEA    NOT NULL PRIMARY KEY,
    user_id    BYTEA    NOT NULL REFERENCES "user" (id),
    tenant     BYTEA    NOT NULL,
    kind       TEXT    NOT NULL, -- totp, passkey, recovery
    name       TEXT    NOT NULL, -- what the user calls it
    secret     BYTEA    NOT NULL, -- sealed with the instance key; of a recovery code its hash
    counter    BIGINT NOT NULL, -- of totp: the step whose code was used last
    confirmed  BIGINT NOT NULL, -- 0: being set up
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    checksum   BYTEA    NOT NULL
);
CREATE INDEX factor_by_user ON factor (user_id);

-- What a tenant, or the installation, asks of log-ins.
CREATE TABLE login_policy (
    tenant   BYTEA NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation, for those who belong to no tenant
    settings TEXT NOT NULL, -- JSON
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE login_policy;
DROP TABLE factor;
DROP TABLE login_link;
DROP TABLE session;
CREATE TABLE session (
    token_hash BYTEA    NOT NULL PRIMARY KEY,
    user_id    BYTEA    NOT NULL REFERENCES "user" (id),
    tenant     BYTEA    NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    peer       TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    checksum   BYTEA    NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);
