-- +goose Up
-- SHA-256 of the members of a message beside its original, which its evidence record
-- covers with it: the metadata and, if it came in one, the journal report. Empty: not
-- computed yet.
ALTER TABLE message ADD COLUMN members BYTEA NOT NULL DEFAULT ''; -- guarded by checksum

-- What one time stamp covers.
CREATE TABLE seal_batch (
    id         BYTEA NOT NULL PRIMARY KEY,
    state      TEXT NOT NULL, -- pending, stamped
    algorithm  TEXT NOT NULL, -- of the hash trees: sha256 …
    created_at BIGINT NOT NULL,
    oldest     BIGINT NOT NULL, -- when the archive took the oldest object in it
    trees      BIGINT NOT NULL,
    leaves     BIGINT NOT NULL, -- of all trees
    root       BYTEA NOT NULL, -- of the tree over the roots of the trees
    attempts   BIGINT NOT NULL, -- to get a time stamp
    next_at    BIGINT NOT NULL, -- not to be tried before
    problem    TEXT NOT NULL, -- JSON, of the last attempt; empty: none
    checksum   BYTEA NOT NULL
);
CREATE INDEX seal_batch_state ON seal_batch (state, id);

-- The tree of one tenant in a batch.
CREATE TABLE seal_tree (
    tenant     BYTEA NOT NULL REFERENCES tenant (id),
    batch      BYTEA NOT NULL REFERENCES seal_batch (id),
    position   BIGINT NOT NULL, -- among the trees of the batch, from 0
    leaves     BIGINT NOT NULL,
    first_aoid BYTEA NOT NULL,
    last_aoid  BYTEA NOT NULL,
    root       BYTEA NOT NULL,
    checksum   BYTEA NOT NULL,
    PRIMARY KEY (tenant, batch)
);
CREATE INDEX seal_tree_last ON seal_tree (tenant, last_aoid);
CREATE INDEX seal_tree_batch ON seal_tree (batch);

-- The time stamps of a batch: the first one, and its renewals.
CREATE TABLE seal_stamp (
    batch     BYTEA NOT NULL REFERENCES seal_batch (id),
    number    BIGINT NOT NULL, -- from 1
    authority TEXT NOT NULL,
    gen_time  BIGINT NOT NULL, -- the time in the token
    until     BIGINT NOT NULL, -- end of the certificate that signed it
    policy    TEXT NOT NULL,
    test      BIGINT NOT NULL, -- 1: of a test authority, proves nothing
    qualified TEXT NOT NULL, -- yes, no, unknown
    reason    TEXT NOT NULL,
    sum       BYTEA NOT NULL, -- SHA-256 of the object in the vault
    checksum  BYTEA NOT NULL,
    PRIMARY KEY (batch, number)
);

-- Messages up to this number are in a batch.
CREATE TABLE seal_mark (
    tenant   BYTEA NOT NULL PRIMARY KEY REFERENCES tenant (id),
    seq      BIGINT NOT NULL,
    checksum BYTEA NOT NULL
);

-- How objects are sealed. The secrets are sealed with the instance key.
CREATE TABLE seal_setting (
    tenant   BYTEA NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation
    settings TEXT NOT NULL, -- JSON
    secret   BYTEA NOT NULL, -- empty: none
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE seal_setting;
DROP TABLE seal_mark;
DROP TABLE seal_stamp;
DROP TABLE seal_tree;
DROP TABLE seal_batch;
ALTER TABLE message DROP COLUMN members;
