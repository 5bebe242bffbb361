-- +goose Up
-- What came by mail. A row makes a mail idempotent, for it is known by what it says; it names nobody.
CREATE TABLE inbound_mails (
    mail_hash   bytea PRIMARY KEY, -- SHA-256 of envelope recipient and content, without what each hop adds
    received_at timestamptz NOT NULL,
    source      text NOT NULL,     -- smtp, or the name of the token that posted it
    kind        text NOT NULL,     -- hard, soft, complaint, delayed, autoreply, unknown, reply, unsubscribe
    outcome     text NOT NULL,     -- recorded, unmatched or ignored
    reason      text NOT NULL DEFAULT '',
    campaign_id bigint,
    step_id     bigint
);
CREATE INDEX inbound_mails_received_idx ON inbound_mails (received_at);

-- Mails that came back because of us, not because of the address: kept as counts, shown on the campaign.
CREATE TABLE mail_troubles (
    campaign_id bigint NOT NULL,
    step_id     bigint NOT NULL,
    cause       text NOT NULL CHECK (cause IN ('policy', 'content')),
    mails       bigint NOT NULL,
    message     text NOT NULL, -- the last server's own words, without addresses
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, step_id, cause)
);

-- +goose Down
DROP TABLE mail_troubles, inbound_mails;
