package tracking

import (
	"context"
	"testing"
	"time"

	"aldine/customers"
	"aldine/internal/id"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// racing is a service whose hits a test writes into the journal itself.
func racing(t *testing.T) *Service {
	pool := pgtest.New(t)
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, time.Now), Now: time.Now})
	s.landing.close(t.Context())
	s.followups.close(t.Context())
	t.Cleanup(func() { s.collector.close(context.Background()) })
	return s
}

func (s *Service) write(t *testing.T, h *hit) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO hit_journal (journal_id, at, hits) VALUES ($1, $2, $3)`, [16]byte(id.New()), h.at, pack([]*hit{h})); err != nil {
		t.Fatal(err)
	}
}

// The second of two links clicked at once is judged together with the first, also where that one takes long to land.
func TestHitsLandInOrder(t *testing.T) {
	t.Parallel()
	s, ctx := racing(t), t.Context()
	now := time.Now().Truncate(time.Microsecond)
	if _, err := s.pool.Exec(ctx, `INSERT INTO customers (customer_id, first_name, created_at, updated_at) VALUES (1, 'Anna', $1, $1)`, now); err != nil {
		t.Fatal(err)
	}
	first := &hit{id: id.New(), kind: KindClick, token: Token{1, 11, 1, 21}, at: now, detail: `{"user_agent": "x"}`}
	second := &hit{id: id.New(), kind: KindClick, token: Token{1, 11, 1, 22}, at: now.Add(time.Second), suspect: true, detail: `{"user_agent": "x"}`}
	s.write(t, first)
	tx, err := s.pool.Begin(ctx) // something that the first one waits for
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(ctx, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, method) VALUES (1, $1, 'click', $2, $2, 'token')`, first.id, now); err != nil {
		t.Fatal(err)
	}
	landed := make(chan error, 2)
	go func() { _, err := s.Land(context.Background()); landed <- err }()
	s.awaitLock(t)
	s.write(t, second)
	other := &Service{pool: s.pool, jobs: s.jobs, now: s.now, log: s.log, metrics: s.metrics, followups: s.followups, landingNow: make(chan struct{}, 1)} // another process
	go func() { _, err := other.Land(context.Background()); landed <- err }()
	time.Sleep(300 * time.Millisecond)
	if _, err := s.FollowUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-landed; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FollowUp(ctx); err != nil {
		t.Fatal(err)
	}
	if n := s.number(t, `SELECT count(*) FROM responses WHERE machine`); n != 2 {
		t.Errorf("%d of 2 clicks are taken for a program's", n)
	}
}

func (s *Service) awaitLock(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if s.number(t, `SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			OR NOT granted AND locktype = 'transactionid'`) > 0 {
			return
		}
	}
	t.Fatal("nobody waits")
}

func (s *Service) number(t *testing.T, sql string) (n int64) {
	t.Helper()
	if err := s.pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Hits of a person who is erased, or becomes part of another customer, while they lie in the journal.
func TestHitsOfThoseWhoGo(t *testing.T) {
	t.Parallel()
	s, ctx := racing(t), t.Context()
	now := time.Now().Truncate(time.Microsecond)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := s.pool.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO customers (customer_id, first_name, created_at, updated_at) SELECT n, 'x', $1, $1 FROM generate_series(1, 3) n`, now)
	people := customers.New(customers.Deps{Pool: s.pool, Jobs: s.jobs, Settings: s.settings, DataDir: t.TempDir(), Now: time.Now})
	for n := range int64(3) {
		s.write(t, &hit{id: id.New(), kind: KindClick, token: Token{1, 11, n + 1, 21}, at: now, detail: `{"user_agent": "x", "network": "10.0.0.0/24"}`})
	}
	if err := people.Erase(ctx, 1); err != nil {
		t.Fatal(err)
	}
	tx, err := s.pool.Begin(ctx) // a merge under way, whose responses are moved already
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if err := customers.HoldHitsTx(ctx, tx); err != nil {
		t.Fatal(err)
	}
	landed := make(chan error, 1)
	go func() { _, err := s.Land(context.Background()); landed <- err }()
	s.awaitLock(t)
	if _, err := tx.Exec(ctx, `INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (2, 3, gen_random_uuid())`); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-landed; err != nil {
		t.Fatal(err)
	}
	if n := s.number(t, `SELECT count(*) FROM responses WHERE customer_id = 1 AND detail = '{}' OR customer_id = 3 AND detail <> '{}'`); n != 3 {
		t.Errorf("%d of 3 hits are as they should be", n)
	}
}
