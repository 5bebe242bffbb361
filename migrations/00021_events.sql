-- +goose Up
-- What a customer did somewhere else, by names that whoever reports it gives: viewed, signed_up, trial_ended. It is no response to a
-- campaign and no order. The key gives one customer's events in the order of time, and carries what is counted of them.
CREATE TABLE events (
    customer_id bigint NOT NULL,
    at          timestamptz NOT NULL,
    event_id    uuid NOT NULL,               -- UUIDv7 from the program
    name        text NOT NULL,
    value       numeric(19,6),               -- what it was worth, how many, how long: what the sender means by it
    properties  jsonb NOT NULL DEFAULT '{}', -- a flat object of texts, numbers and yes/no, small
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (customer_id, at, event_id) INCLUDE (name, value)
);
CREATE INDEX events_name_idx ON events (name, at, customer_id); -- who did it, since when

-- Narrow look-up: the sender's own id makes an event idempotent.
CREATE TABLE event_refs (
    source      text NOT NULL, -- who reports: the token's name, "import", ...
    ref         text NOT NULL,
    customer_id bigint NOT NULL,
    event_id    uuid NOT NULL,
    PRIMARY KEY (source, ref)
);
CREATE INDEX event_refs_customer_idx ON event_refs (customer_id, event_id); -- what goes with an erased person, or with an event

-- The names that there have been, to choose from. Few: a reference table once the database is distributed.
CREATE TABLE event_names (
    name       text PRIMARY KEY,
    created_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE event_names, event_refs, events;
