-- Orders that wait for more than a week, with what they are worth.
CREATE TABLE IF NOT EXISTS orders (
    id          BIGINT PRIMARY KEY,
    customer    VARCHAR(80) NOT NULL,
    placed_at   TIMESTAMP   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    state       CHAR(1)     NOT NULL CHECK (state IN ('n', 'p', 's'))
);

CREATE INDEX orders_by_state ON orders (state, placed_at DESC);

WITH waiting AS (
    SELECT id, customer, placed_at
    FROM orders
    WHERE state = 'p' AND placed_at < CURRENT_TIMESTAMP - INTERVAL '7 days'
)
SELECT w.customer,
       COUNT(*)                          AS n_orders,
       ROUND(SUM(l.price * l.amount), 2) AS worth
FROM waiting AS w
JOIN order_lines AS l ON l.order_id = w.id
WHERE l.title NOT LIKE '%it''s a gift%'
GROUP BY w.customer
HAVING SUM(l.price * l.amount) > 100.0
ORDER BY worth DESC, w.customer;
