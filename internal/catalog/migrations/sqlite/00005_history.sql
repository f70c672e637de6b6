-- +goose Up
-- How a message was filed in the mailbox it came from (folder, flags, date), JSON;
-- empty: its source knows nothing of the kind.
ALTER TABLE capture ADD COLUMN filing TEXT NOT NULL DEFAULT '';

-- What servers say how many messages they hold, by day and folder.
CREATE TABLE source_count (
    tenant   BLOB NOT NULL REFERENCES tenant (id),
    source   BLOB NOT NULL REFERENCES source (id),
    folder   TEXT NOT NULL, -- with the account; without a folder that of a maildrop
    day      TEXT NOT NULL, -- 2006-01-02, UTC
    came     INTEGER NOT NULL, -- by how many the count rose that day, in all
    held     INTEGER NOT NULL, -- the last count
    rest     INTEGER NOT NULL, -- the last count less what was deleted since
    checksum BLOB NOT NULL,
    PRIMARY KEY (source, folder, day)
) STRICT;

-- +goose Down
DROP TABLE source_count;
ALTER TABLE capture DROP COLUMN filing;
