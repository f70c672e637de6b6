-- +goose Up
-- What a request of another kind than reading is about, JSON; empty: nothing more.
ALTER TABLE access_request ADD COLUMN about TEXT NOT NULL DEFAULT ''; -- guarded by checksum

-- What is left of a message that was deleted: nothing that says what was in it.
CREATE TABLE tombstone (
    tenant        BYTEA   NOT NULL REFERENCES tenant (id),
    aoid          BYTEA   NOT NULL,
    seq           BIGINT  NOT NULL, -- that its message had
    size          BIGINT  NOT NULL,
    received_at   BIGINT  NOT NULL,
    source        BYTEA   NOT NULL,
    class         TEXT    NOT NULL,
    due           BIGINT  NOT NULL, -- end of its retention when it was deleted; 0: it had none
    deleted_at    BIGINT  NOT NULL,
    asked_by      BYTEA   NOT NULL, -- empty: nobody, its time was over
    asked_role    TEXT    NOT NULL,
    approved_by   BYTEA   NOT NULL,
    approved_role TEXT    NOT NULL,
    carried_by    TEXT    NOT NULL, -- as in event.actor
    reason        TEXT    NOT NULL,
    request       BYTEA   NOT NULL, -- empty: none
    arrivals      TEXT    NOT NULL, -- JSON: how the accounts have counted it
    segment       BYTEA   NOT NULL, -- where its record rests in the vault; empty: not written yet
    frame         BIGINT  NOT NULL,
    rest          TEXT    NOT NULL, -- JSON: what is still to be destroyed; empty: nothing
    checksum      BYTEA   NOT NULL,
    PRIMARY KEY (tenant, aoid)
);
CREATE UNIQUE INDEX tombstone_seq ON tombstone (tenant, seq);
CREATE INDEX tombstone_segment ON tombstone (tenant, segment);
CREATE INDEX tombstone_rest ON tombstone (tenant, aoid) WHERE rest <> '';

-- Of head.seq and head.raw_bytes, what was deleted since.
ALTER TABLE head ADD COLUMN erased BIGINT  NOT NULL DEFAULT 0; -- guarded by checksum
ALTER TABLE head ADD COLUMN erased_bytes BIGINT  NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE head DROP COLUMN erased_bytes;
ALTER TABLE head DROP COLUMN erased;
DROP TABLE tombstone;
ALTER TABLE access_request DROP COLUMN about;
