-- +goose Up
-- SHA-256 of the members of a message beside its original, which its evidence record
-- covers with it: the metadata and, if it came in one, the journal report. Empty: not
-- computed yet.
ALTER TABLE message ADD COLUMN members BLOB NOT NULL DEFAULT x''; -- guarded by checksum

-- What one time stamp covers.
CREATE TABLE seal_batch (
    id         BLOB NOT NULL PRIMARY KEY,
    state      TEXT NOT NULL, -- pending, stamped
    algorithm  TEXT NOT NULL, -- of the hash trees: sha256 …
    created_at INTEGER NOT NULL,
    oldest     INTEGER NOT NULL, -- when the archive took the oldest object in it
    trees      INTEGER NOT NULL,
    leaves     INTEGER NOT NULL, -- of all trees
    root       BLOB NOT NULL, -- of the tree over the roots of the trees
    attempts   INTEGER NOT NULL, -- to get a time stamp
    next_at    INTEGER NOT NULL, -- not to be tried before
    problem    TEXT NOT NULL, -- JSON, of the last attempt; empty: none
    checksum   BLOB NOT NULL
) STRICT;
CREATE INDEX seal_batch_state ON seal_batch (state, id);

-- The tree of one tenant in a batch.
CREATE TABLE seal_tree (
    tenant     BLOB NOT NULL REFERENCES tenant (id),
    batch      BLOB NOT NULL REFERENCES seal_batch (id),
    position   INTEGER NOT NULL, -- among the trees of the batch, from 0
    leaves     INTEGER NOT NULL,
    first_aoid BLOB NOT NULL,
    last_aoid  BLOB NOT NULL,
    root       BLOB NOT NULL,
    checksum   BLOB NOT NULL,
    PRIMARY KEY (tenant, batch)
) STRICT;
CREATE INDEX seal_tree_last ON seal_tree (tenant, last_aoid);
CREATE INDEX seal_tree_batch ON seal_tree (batch);

-- The time stamps of a batch: the first one, and its renewals.
CREATE TABLE seal_stamp (
    batch     BLOB NOT NULL REFERENCES seal_batch (id),
    number    INTEGER NOT NULL, -- from 1
    authority TEXT NOT NULL,
    gen_time  INTEGER NOT NULL, -- the time in the token
    until     INTEGER NOT NULL, -- end of the certificate that signed it
    policy    TEXT NOT NULL,
    test      INTEGER NOT NULL, -- 1: of a test authority, proves nothing
    qualified TEXT NOT NULL, -- yes, no, unknown
    reason    TEXT NOT NULL,
    sum       BLOB NOT NULL, -- SHA-256 of the object in the vault
    checksum  BLOB NOT NULL,
    PRIMARY KEY (batch, number)
) STRICT;

-- Messages up to this number are in a batch.
CREATE TABLE seal_mark (
    tenant   BLOB NOT NULL PRIMARY KEY REFERENCES tenant (id),
    seq      INTEGER NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

-- How objects are sealed. The secrets are sealed with the instance key.
CREATE TABLE seal_setting (
    tenant   BLOB NOT NULL PRIMARY KEY, -- sixteen zero bytes: the installation
    settings TEXT NOT NULL, -- JSON
    secret   BLOB NOT NULL, -- empty: none
    checksum BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE seal_setting;
DROP TABLE seal_mark;
DROP TABLE seal_stamp;
DROP TABLE seal_tree;
DROP TABLE seal_batch;
ALTER TABLE message DROP COLUMN members;
