-- +goose Up
-- Mails that came in, as they came, for a while: so that a person sees why an address is suppressed, and a better rule can judge them anew.
-- PostgreSQL compresses the body by itself.
CREATE TABLE inbound_raw (
    mail_hash    bytea PRIMARY KEY,     -- that of inbound_mails
    received_at  timestamptz NOT NULL,
    sent_to      text NOT NULL,         -- envelope recipient; '' where whoever handed it over did not say
    bytes        integer NOT NULL,      -- of the whole mail
    body         bytea NOT NULL,        -- its beginning
    addresses    text[] NOT NULL,       -- whom it names, in lower case: it goes when one of them is erased
    response_ids uuid[] NOT NULL,       -- what was recorded or kept for review because of it
    customer_ids bigint[] NOT NULL      -- to whom it was recorded; they may have been merged since
);
CREATE INDEX inbound_raw_received_idx ON inbound_raw (received_at DESC, mail_hash);
CREATE INDEX inbound_raw_addresses_idx ON inbound_raw USING gin (addresses);
CREATE INDEX inbound_raw_responses_idx ON inbound_raw USING gin (response_ids);

-- +goose Down
DROP TABLE inbound_raw;
