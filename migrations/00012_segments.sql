-- +goose Up
-- Private attributes are not for the read-only role: it can neither ask for them nor use a segment that does.
ALTER TABLE attributes ADD COLUMN private boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE attributes DROP COLUMN private;
