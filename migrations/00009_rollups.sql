-- +goose Up
-- Figures of campaigns, kept so that nobody has to count touches and responses to read them. Customers are counted in slices of 1,024
-- numbers, the ledger in slices of an hour (negative numbers). Who changes a row that is counted marks its slice in the same
-- transaction; a job counts marked slices again and puts the difference into the totals.
CREATE TABLE rollups (
    campaign_id bigint PRIMARY KEY,
    config      text NOT NULL DEFAULT '', -- time zone and windows the figures were counted with; '': not counted yet
    begun_at    timestamptz,              -- when all slices were marked for the first count
    folded_at   timestamptz,
    complete    boolean NOT NULL DEFAULT false -- all slices have been counted once
);
CREATE TABLE rollup_marks (
    campaign_id bigint NOT NULL,
    mark_id     uuid NOT NULL,
    slices      bigint[] NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, mark_id)
);
CREATE TABLE rollup_slices (
    campaign_id   bigint NOT NULL,
    slice         bigint NOT NULL,
    weight        bigint NOT NULL,     -- rows counted
    last_sent_at  timestamptz,
    channels      text[] NOT NULL,     -- on which something went out
    last_order_at timestamptz,         -- the last order that counts for the comparison with the control cell
    next_order_at timestamptz,         -- the first that is too late for it
    PRIMARY KEY (campaign_id, slice)
);
-- A line is one group of one breakdown (dim, item); internal/tally names them. Measures that a breakdown has not are 0.
CREATE TABLE rollup_lines (
    campaign_id bigint NOT NULL, slice bigint NOT NULL, dim smallint NOT NULL, item text NOT NULL,
    number bigint NOT NULL, planned bigint NOT NULL, quantity bigint NOT NULL, open bigint NOT NULL, failed bigint NOT NULL,
    bounced bigint NOT NULL, unconfirmed bigint NOT NULL, excluded bigint NOT NULL, responses bigint NOT NULL, customers bigint NOT NULL,
    orders bigint NOT NULL, direct_orders bigint NOT NULL, matchback_orders bigint NOT NULL,
    cost numeric NOT NULL, revenue numeric NOT NULL, direct_revenue numeric NOT NULL, matchback_revenue numeric NOT NULL, squares numeric NOT NULL,
    PRIMARY KEY (campaign_id, slice, dim, item)
);
CREATE TABLE rollup_totals (
    campaign_id bigint NOT NULL, dim smallint NOT NULL, item text NOT NULL,
    number bigint NOT NULL, planned bigint NOT NULL, quantity bigint NOT NULL, open bigint NOT NULL, failed bigint NOT NULL,
    bounced bigint NOT NULL, unconfirmed bigint NOT NULL, excluded bigint NOT NULL, responses bigint NOT NULL, customers bigint NOT NULL,
    orders bigint NOT NULL, direct_orders bigint NOT NULL, matchback_orders bigint NOT NULL,
    cost numeric NOT NULL, revenue numeric NOT NULL, direct_revenue numeric NOT NULL, matchback_revenue numeric NOT NULL, squares numeric NOT NULL,
    PRIMARY KEY (campaign_id, dim, item)
) WITH (fillfactor = 50); -- every fold changes its rows: no index needs to follow
CREATE INDEX reservations_at_idx ON reservations (campaign_id, at) INCLUDE (amount);

-- What is still to be done about people whose hits were stored: hits share their commit with nothing else that could wait.
-- Processes take rows from here as jobs from the queue: it stays on one node.
CREATE TABLE hit_followups (
    followup_id uuid PRIMARY KEY,
    campaign_id bigint NOT NULL,
    people      bigint[] NOT NULL, -- hits not known to be a program's: their journeys may go on
    clickers    bigint[] NOT NULL, -- of them, those who clicked: no rented names any more
    suspects    bigint[] NOT NULL, -- whose hits shall be looked at together: perhaps a program's
    at          timestamptz NOT NULL
);

-- +goose Down
DROP INDEX reservations_at_idx;
DROP TABLE hit_followups, rollup_totals, rollup_lines, rollup_slices, rollup_marks, rollups;
