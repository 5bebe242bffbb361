-- +goose Up
-- What a team needs around a segment: who answers for it, where it is filed, what it said before, how its size went.
ALTER TABLE segments ADD COLUMN version integer NOT NULL DEFAULT 1; -- of the expression
ALTER TABLE segments ADD COLUMN owner text NOT NULL DEFAULT '';     -- e-mail of the user who answers for it
ALTER TABLE segments ADD COLUMN folder text NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN tags text[] NOT NULL DEFAULT '{}';

CREATE TABLE segment_versions ( -- immutable: what a campaign was approved with can always be read again
    segment_id bigint NOT NULL,
    version    integer NOT NULL,
    expression text NOT NULL,
    saved_by   text NOT NULL,
    saved_at   timestamptz NOT NULL,
    PRIMARY KEY (segment_id, version)
);
ALTER TABLE segment_versions ADD CONSTRAINT segment_versions_segment_fk FOREIGN KEY (segment_id) REFERENCES segments (segment_id) ON DELETE CASCADE;
INSERT INTO segment_versions (segment_id, version, expression, saved_by, saved_at)
SELECT segment_id, 1, expression, created_by, updated_at FROM segments ORDER BY segment_id;

CREATE TABLE segment_counts ( -- the last exact count of each day (UTC)
    segment_id bigint NOT NULL,
    day        date NOT NULL,
    version    integer NOT NULL,
    members    bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (segment_id, day)
);
ALTER TABLE segment_counts ADD CONSTRAINT segment_counts_segment_fk FOREIGN KEY (segment_id) REFERENCES segments (segment_id) ON DELETE CASCADE;

ALTER TABLE campaigns ADD COLUMN segment_version integer; -- whose expression the approval froze

-- +goose Down
ALTER TABLE campaigns DROP COLUMN segment_version;
DROP TABLE segment_counts, segment_versions;
ALTER TABLE segments DROP COLUMN version, DROP COLUMN owner, DROP COLUMN folder, DROP COLUMN tags;
