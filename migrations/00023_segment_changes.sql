-- +goose Up
-- Two people who change a segment at once are told so; and why the daily count of a segment failed is kept with it.
ALTER TABLE segments ADD COLUMN row_version integer NOT NULL DEFAULT 1;  -- grows with each change
ALTER TABLE segments ADD COLUMN count_tried_at timestamptz;              -- when it was counted last, or could not be
ALTER TABLE segments ADD COLUMN count_error text NOT NULL DEFAULT '';    -- why it could not be; '' where it was counted
UPDATE segments SET count_tried_at = counted_at;

-- +goose Down
ALTER TABLE segments DROP COLUMN row_version, DROP COLUMN count_tried_at, DROP COLUMN count_error;
