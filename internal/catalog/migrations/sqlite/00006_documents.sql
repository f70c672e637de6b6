-- +goose Up
-- A document is archived as the file that it is. The same file given by others is
-- another document: what it is called must not be told to them. Its identity is that
-- of bytes and owners together; mail has none, and is known by its bytes.
ALTER TABLE message ADD COLUMN document BLOB NOT NULL DEFAULT x''; -- guarded by checksum
DROP INDEX message_sha256;
CREATE UNIQUE INDEX message_sha256 ON message (tenant, sha256) WHERE length(document) = 0;
CREATE UNIQUE INDEX message_document ON message (tenant, document) WHERE length(document) > 0;

-- +goose Down
DROP INDEX message_document;
DROP INDEX message_sha256;
ALTER TABLE message DROP COLUMN document;
CREATE UNIQUE INDEX message_sha256 ON message (tenant, sha256);
