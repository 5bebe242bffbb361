package pace_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/pace"
	"aldine/internal/pgtest"
)

func take(t *testing.T, pool *pgxpool.Pool, r pace.Ramp, n int, now time.Time) (got int) {
	t.Helper()
	err := pgx.BeginFunc(context.Background(), pool, func(tx pgx.Tx) (err error) {
		got, err = r.TakeTx(context.Background(), tx, n, now)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestRamp(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := pace.EmailRamp(100, 50, 200, "News@Shop.example", zone(t, "America/New_York"))
	day := time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC) // still the second in New York
	for i, c := range []struct{ ask, want, back int }{
		{1000, 100, 0},
		{1000, 150, 0},
		{1000, 200, 150}, // less than half is used: the same again
		{80, 80, 0},
		{120, 120, 0},
		{1 << 30, 1 << 30, 0}, // 80 and 120 were of one day, and used up
	} {
		at := day.AddDate(0, 0, i)
		if i >= 4 {
			at = at.AddDate(0, 0, -1)
		}
		if got := take(t, pool, r, c.ask, at); got != c.want {
			t.Fatalf("%d: %d may go, want %d", i, got, c.want)
		}
		if err := r.GiveBack(t.Context(), pool, c.back, at); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.Look(t.Context(), pool, day)
	if err != nil || !s.Limited || s.Allowed != 100 || s.Left() != 0 || s.Tomorrow != 150 || !s.Next().Equal(time.Date(2026, 3, 3, 5, 0, 0, 0, time.UTC)) {
		t.Errorf("first day: %+v, %v", s, err)
	}
	other := pace.EmailRamp(100, 50, 200, "news@other.example", time.UTC)
	if got := take(t, pool, other, 1000, day.AddDate(0, 0, 30)); got != 100 {
		t.Errorf("another domain begins with %d", got)
	}
	r.Start = 130
	if s, err := r.Look(t.Context(), pool, day); err != nil || s.Left() != 30 {
		t.Errorf("after a change of the setting: %+v, %v", s, err)
	}
	r.Start = 0
	if got := take(t, pool, r, 1000, day); got != 1000 {
		t.Errorf("without a ramp %d may go", got)
	}
}

func TestRampTakenByMany(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := pace.EmailRamp(1000, 100, 100_000, "news@shop.example", nil)
	now := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := 0
	for range 8 {
		wg.Go(func() {
			for range 10 {
				n := take(t, pool, r, 70, now)
				mu.Lock()
				all += n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if all != 1000 {
		t.Errorf("%d were taken of 1000", all)
	}
}
