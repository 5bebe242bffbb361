-- +goose Up
-- Which of two indexes on the same columns the planner takes for one customer's touch is chance. With the state between them, one choice read
-- all open touches of the step for each customer; now either finds the one row.
DROP INDEX touches_open_idx;
CREATE INDEX touches_open_idx ON touches (campaign_id, step_id, customer_id) WHERE state IN ('planned', 'sending', 'unconfirmed');

-- +goose Down
DROP INDEX touches_open_idx;
CREATE INDEX touches_open_idx ON touches (campaign_id, step_id, state, customer_id) WHERE state IN ('planned', 'sending', 'unconfirmed');
