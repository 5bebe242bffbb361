-- +goose Up
-- Responses by month, so that old opens and clicks go by dropping a table. A month that has no table yet is taken in by responses_default, and
-- everything before the first month by responses_past; a job makes the months to come and empties the default (tracking/months.go).
ALTER TABLE responses RENAME TO responses_before;
CREATE TABLE responses (
    customer_id bigint NOT NULL,
    response_id uuid NOT NULL,           -- UUIDv7 from the program
    kind        text NOT NULL CHECK (kind IN ('open', 'click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey', 'complaint', 'bounce', 'unsubscribe')),
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    campaign_id bigint,
    step_id     bigint,
    cell_id     bigint,
    channel     text,                    -- medium it answers
    keycode     text,
    link_id     bigint,
    order_ref   text,
    method      text NOT NULL CHECK (method IN ('token', 'keycode', 'coupon', 'phone', 'number', 'matchback', 'direct')),
    machine     boolean NOT NULL DEFAULT false, -- a mail proxy or scanner, not a person
    detail      jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (at);
CREATE TABLE responses_default PARTITION OF responses DEFAULT;
-- +goose StatementBegin
DO $$
DECLARE
    this  date := date_trunc('month', now() AT TIME ZONE 'UTC');
    month date;
BEGIN
    SELECT least(date_trunc('month', greatest(coalesce(min(at), now()), now() - interval '60 months') AT TIME ZONE 'UTC')::date, this) INTO month
    FROM responses_before WHERE kind IN ('open', 'click');
    EXECUTE format('CREATE TABLE responses_past PARTITION OF responses FOR VALUES FROM (MINVALUE) TO (%L)', month::text || ' 00:00+00');
    WHILE month <= this + interval '1 month' LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF responses FOR VALUES FROM (%L) TO (%L)', 'responses_' || to_char(month, 'YYYY_MM'),
            month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00');
        month := month + interval '1 month';
    END LOOP;
END $$;
-- +goose StatementEnd
INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref, method, machine, detail)
SELECT customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref, method, machine, detail
FROM responses_before;
DROP TABLE responses_before;
ALTER TABLE responses ADD PRIMARY KEY (customer_id, response_id, at); -- when all rows are there, which takes a third less time
CREATE INDEX responses_campaign_idx ON responses (campaign_id, at, customer_id) WHERE campaign_id IS NOT NULL;
ANALYZE responses;

-- Hits as they were answered, many in one row: one commit keeps them, and who comes after it puts them among the responses. Processes
-- take rows from here as jobs from the queue: it stays on one node.
CREATE TABLE hit_journal (
    journal_id uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    hits       bytea NOT NULL,                -- see tracking/journal.go
    aside      boolean NOT NULL DEFAULT false -- could not be stored; a person has to look
);

-- A campaign that is over, and whose opens and clicks are deleted: its figures stay as they are.
ALTER TABLE rollups ADD COLUMN sealed_at timestamptz;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM hit_journal) THEN
        RAISE EXCEPTION 'opens and clicks wait in hit_journal: let the server put them among the responses first';
    END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE rollups DROP COLUMN sealed_at;
DROP TABLE hit_journal;
ALTER TABLE responses RENAME TO responses_after;
ALTER INDEX responses_pkey RENAME TO responses_after_pkey;
ALTER INDEX responses_campaign_idx RENAME TO responses_after_campaign_idx;
CREATE TABLE responses (
    customer_id bigint NOT NULL,
    response_id uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('open', 'click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey', 'complaint', 'bounce', 'unsubscribe')),
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    campaign_id bigint,
    step_id     bigint,
    cell_id     bigint,
    channel     text,
    keycode     text,
    link_id     bigint,
    order_ref   text,
    method      text NOT NULL CHECK (method IN ('token', 'keycode', 'coupon', 'phone', 'number', 'matchback', 'direct')),
    machine     boolean NOT NULL DEFAULT false,
    detail      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (customer_id, response_id)
);
INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref, method, machine, detail)
SELECT customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref, method, machine, detail
FROM responses_after;
CREATE INDEX responses_campaign_idx ON responses (campaign_id, at, customer_id) WHERE campaign_id IS NOT NULL;
DROP TABLE responses_after;
