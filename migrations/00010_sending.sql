-- +goose Up
-- Why the program paused a campaign by itself, and at which step; a person's resume clears it.
ALTER TABLE campaigns ADD COLUMN pause_reason text, ADD COLUMN pause_step_id bigint;

-- +goose Down
ALTER TABLE campaigns DROP COLUMN pause_reason, DROP COLUMN pause_step_id;
