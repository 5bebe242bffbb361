package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// signingKey gives the key that signs tracked links: the configured one, else the one made at the first start. It lives
// in the database, so that all nodes sign alike and a restored backup still knows its links.
func signingKey(ctx context.Context, pool *pgxpool.Pool, configured string, now time.Time) ([]byte, error) {
	if configured != "" {
		return []byte(configured), nil
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, `
		INSERT INTO settings (name, value, updated_at) VALUES ('signing_key', to_jsonb($1::text), $2)
		ON CONFLICT (name) DO NOTHING`, hex.EncodeToString(fresh), now); err != nil {
		return nil, err
	}
	var kept string
	if err := pool.QueryRow(ctx, `SELECT value #>> '{}' FROM settings WHERE name = 'signing_key'`).Scan(&kept); err != nil {
		return nil, err
	}
	return hex.DecodeString(kept)
}
