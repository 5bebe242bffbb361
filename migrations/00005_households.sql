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
CREATE INDEX residences_other_idx ON residences (residence_id) WHERE residence_id <> address_hash; -- the other spellings of a residence

-- Residences with too many people for surnames to be compared by more than equality.
CREATE TABLE crowded_residences (
    residence_id bigint PRIMARY KEY
);

-- Customers whose residence and household are still to be found, and residences that others have left: one row to a piece of work.
CREATE TABLE household_work (
    work_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_ids  bigint[] NOT NULL,
    residence_ids bigint[] NOT NULL
);

-- A dry run tells what an import would do; what it found is kept as report, and the file waits for the word to go ahead.
ALTER TABLE imports ADD COLUMN dry_run boolean NOT NULL DEFAULT false;
ALTER TABLE imports ADD COLUMN search_duplicates boolean NOT NULL DEFAULT false; -- look for duplicates when it is done
ALTER TABLE imports ADD COLUMN repaired bigint NOT NULL DEFAULT 0;                -- rows whose postal code got back its leading zeros
ALTER TABLE imports ADD COLUMN report jsonb;

-- +goose Down
ALTER TABLE imports DROP COLUMN dry_run, DROP COLUMN search_duplicates, DROP COLUMN repaired, DROP COLUMN report;
DROP TABLE residences, crowded_residences, household_work;
UPDATE steps SET dedup = 'customer' WHERE dedup IN ('person', 'company');
ALTER TABLE steps DROP CONSTRAINT steps_dedup_check;
ALTER TABLE steps ADD CONSTRAINT steps_dedup_check CHECK (dedup IN ('customer', 'household', 'email', 'phone', 'address'));
ALTER TABLE customers DROP COLUMN person_id, DROP COLUMN residence_id, DROP COLUMN company_id;
