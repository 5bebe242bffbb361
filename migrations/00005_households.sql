-- +goose Up
-- The levels at which customers belong together. Each is a key that is computed on import and edit; the places keep what
-- spellings of one address have in common, so that a slip of the pen does not make two homes of one.

ALTER TABLE customers ADD COLUMN person_id bigint;    -- lowest customer_id of those found to be one person; null: nobody else
ALTER TABLE customers ADD COLUMN residence_id bigint; -- the address, whatever its spelling; household_id is surname at residence
ALTER TABLE customers ADD COLUMN company_id bigint;   -- hash of the company's name without legal form, with its country
CREATE INDEX customers_residence_idx ON customers (residence_id) WHERE residence_id IS NOT NULL;
CREATE INDEX customers_company_idx ON customers (company_id) WHERE company_id IS NOT NULL;
CREATE INDEX customers_person_idx ON customers (person_id) WHERE person_id IS NOT NULL;

-- At which level a send step keeps touches apart.
ALTER TABLE steps DROP CONSTRAINT steps_dedup_check;
ALTER TABLE steps ADD CONSTRAINT steps_dedup_check CHECK (dedup IN ('customer', 'person', 'household', 'address', 'company', 'email', 'phone'));

-- Spellings of addresses that have been seen, by a coarse key (postal code, house number, country) under which they are compared.
CREATE TABLE residences (
    place_key    bigint NOT NULL, -- hash of postal code (else city), house number and country
    address_hash bigint NOT NULL, -- hash of the whole normal form
    street       text NOT NULL,   -- normal form, without number
    unit         text NOT NULL,
    residence_id bigint NOT NULL, -- address_hash of the spelling that was there first
    PRIMARY KEY (place_key, address_hash)
);

-- +goose Down
DROP TABLE residences;
UPDATE steps SET dedup = 'customer' WHERE dedup IN ('person', 'company');
ALTER TABLE steps DROP CONSTRAINT steps_dedup_check;
ALTER TABLE steps ADD CONSTRAINT steps_dedup_check CHECK (dedup IN ('customer', 'household', 'email', 'phone', 'address'));
ALTER TABLE customers DROP COLUMN person_id, DROP COLUMN residence_id, DROP COLUMN company_id;
