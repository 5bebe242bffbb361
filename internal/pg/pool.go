package pg

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Option changes the pool's configuration before it is opened.
type Option func(*pgxpool.Config)

// MaxConns limits the pool to n connections.
func MaxConns(n int32) Option {
	return func(c *pgxpool.Config) { c.MaxConns = n }
}

// Open returns a pool that has reached the server at least once. Sessions run in UTC and carry the
// application name aldine; times are read in UTC whatever the host's zone. Limits given in the URL
// (pool_max_conns) win over the default, options win over both. Statement time-outs are the caller's.
// The error says where the connection was tried and never holds the password.
func Open(ctx context.Context, url string, opts ...Option) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultMaxConns()
	}
	cfg.MaxConnLifetime = time.Hour
	cfg.MaxConnLifetimeJitter = 10 * time.Minute
	cfg.MaxConnIdleTime = 5 * time.Minute
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "aldine"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.AfterConnect = readWell
	for _, opt := range opts {
		opt(cfg)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return pool, nil
}

// defaultMaxConns leaves room for several nodes below the server's hundred connections, and is wide
// enough for queue workers that mostly wait for the database.
func defaultMaxConns() int32 {
	return int32(min(max(16, 4*runtime.GOMAXPROCS(0)), 40))
}

// readWell makes scanned values the same on every host and for every reader.
func readWell(_ context.Context, conn *pgx.Conn) error {
	readTimesInUTC(conn)
	readDecimalsTidily(conn)
	return nil
}

// readTimesInUTC gives times in UTC; pgx would give the host's zone.
func readTimesInUTC(conn *pgx.Conn) {
	m := conn.TypeMap()
	t := &pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}}
	m.RegisterType(t)
	m.RegisterType(&pgtype.Type{Name: "_timestamptz", OID: pgtype.TimestamptzArrayOID, Codec: &pgtype.ArrayCodec{ElementType: t}})
}
