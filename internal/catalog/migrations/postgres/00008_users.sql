-- +goose Up
-- Names of people, until when they may log in, and when they last did.
ALTER TABLE "user" ADD COLUMN first_name TEXT NOT NULL DEFAULT '';
ALTER TABLE "user" ADD COLUMN last_name TEXT NOT NULL DEFAULT '';
ALTER TABLE "user" ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0; -- no log-in from then on; 0: for ever
ALTER TABLE "user" ADD COLUMN logged_in_at BIGINT NOT NULL DEFAULT 0; -- 0: never, or before this column

-- +goose Down
ALTER TABLE "user" DROP COLUMN logged_in_at;
ALTER TABLE "user" DROP COLUMN expires_at;
ALTER TABLE "user" DROP COLUMN last_name;
ALTER TABLE "user" DROP COLUMN first_name;
