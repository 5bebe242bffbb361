-- +goose Up
-- The key of orders carries what segments ask most: the orders of a customer are read in one piece, without the table. A row costs about
-- 30 bytes more in the index. Reading goes on while it is made; orders are stored again when it is done.
CREATE UNIQUE INDEX orders_facts_idx ON orders (customer_id, order_ref) INCLUDE (ordered_at, base_amount, quantity, place);
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_facts_idx;

-- +goose Down
CREATE UNIQUE INDEX orders_plain_idx ON orders (customer_id, order_ref);
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_plain_idx;
