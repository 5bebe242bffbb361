-- +goose Up
-- Where the scores of recency, frequency and monetary value end, as they were found last among all who ordered: the ends of the first four
-- fifths, as of independent quintiles. One row, made anew once a day; expressions read rfm and its scores by it.
CREATE TABLE rfm_limits (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    days      date[] NOT NULL CHECK (cardinality(days) = 4 AND array_position(days, NULL) IS NULL AND isfinite(days[1]) AND isfinite(days[2]) AND isfinite(days[3]) AND isfinite(days[4])),
    orders    bigint[] NOT NULL CHECK (cardinality(orders) = 4 AND array_position(orders, NULL) IS NULL),
    spent     numeric(19,4)[] NOT NULL CHECK (cardinality(spent) = 4 AND array_position(spent, NULL) IS NULL),
    customers bigint NOT NULL,
    made_at   timestamptz NOT NULL
);

-- +goose Down
DROP TABLE rfm_limits;
