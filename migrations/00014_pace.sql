-- +goose Up
-- When a campaign is over: what is not sent by then never will be. Null: no such day.
ALTER TABLE campaigns ADD COLUMN ends_at timestamptz;

-- How many messages of a channel were handed over for a sender on a day, while its volume grows from day to day. One row a day, changed
-- once for each job that sends; a reference table once the database is distributed.
CREATE TABLE ramp_days (
    channel text NOT NULL,
    sender  text NOT NULL, -- the domain of the sender's address
    day     date NOT NULL, -- by the clock of the setting default_time_zone
    allowed bigint NOT NULL,
    taken   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, sender, day)
);

-- +goose Down
DROP TABLE ramp_days;
ALTER TABLE campaigns DROP COLUMN ends_at;
