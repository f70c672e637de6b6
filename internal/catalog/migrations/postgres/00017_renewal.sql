-- +goose Up
-- What a batch is for: new (objects), rehashed (objects of an older batch by another
-- hash algorithm), renewal (time stamps of older batches, and roots of rehashed ones).
ALTER TABLE seal_batch ADD COLUMN kind TEXT NOT NULL DEFAULT 'new'; -- guarded by checksum
-- The batch whose objects are rehashed; empty: none.
ALTER TABLE seal_batch ADD COLUMN renews BYTEA NOT NULL DEFAULT '';
-- The batch whose time stamp is the last one that they had before; empty: none.
ALTER TABLE seal_batch ADD COLUMN head BYTEA NOT NULL DEFAULT '';
-- Objects that could not be read when they were rehashed.
ALTER TABLE seal_batch ADD COLUMN left_out BIGINT NOT NULL DEFAULT 0;
CREATE INDEX seal_batch_renews ON seal_batch (renews, id);

-- What a renewal covers: the time stamp of a batch, or the root of a rehashed one.
CREATE TABLE seal_cover (
    batch    BYTEA NOT NULL REFERENCES seal_batch (id), -- the renewal
    position BIGINT NOT NULL, -- among its leaves, from 0
    covers   BYTEA NOT NULL REFERENCES seal_batch (id),
    role     TEXT NOT NULL, -- stamp, root
    checksum BYTEA NOT NULL,
    PRIMARY KEY (batch, position)
);
CREATE UNIQUE INDEX seal_cover_covers ON seal_cover (covers, role);

-- Checkpoints of event logs that are members of a batch.
CREATE TABLE seal_checkpoint (
    tenant   BYTEA NOT NULL, -- sixteen zero bytes: the installation
    batch    BYTEA NOT NULL REFERENCES seal_batch (id),
    position BIGINT NOT NULL, -- among the checkpoints of the batch, from 0
    day      TEXT NOT NULL, -- of the receipt that it is the checkpoint of; empty: of none
    size     BIGINT NOT NULL, -- events that it covers
    attached BIGINT NOT NULL, -- 1: its evidence record is in the receipt
    checksum BYTEA NOT NULL,
    PRIMARY KEY (batch, position)
);
CREATE INDEX seal_checkpoint_tenant ON seal_checkpoint (tenant, size);
CREATE INDEX seal_checkpoint_attached ON seal_checkpoint (attached, batch);

-- How time-stamping authorities behave, and what they have cost.
CREATE TABLE seal_authority (
    name     TEXT NOT NULL PRIMARY KEY,
    state    TEXT NOT NULL, -- JSON
    checksum BYTEA NOT NULL
);

-- +goose Down
DROP TABLE seal_authority;
DROP TABLE seal_checkpoint;
DROP TABLE seal_cover;
DROP INDEX seal_batch_renews;
ALTER TABLE seal_batch DROP COLUMN left_out;
ALTER TABLE seal_batch DROP COLUMN head;
ALTER TABLE seal_batch DROP COLUMN renews;
ALTER TABLE seal_batch DROP COLUMN kind;
