package insights

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"golang.org/x/sync/errgroup"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/settings"
	"aldine/segments"
)

// The sum of a cell may be more than sixty-three bits of ten thousandths.
func TestLargeSums(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec(t, pool, `INSERT INTO customers (orders_count, total_spent, last_order_at, created_at, updated_at)
		SELECT 1, 600000000000000.0001, $1, $1, $1 FROM generate_series(1, 20)`, testNow)
	s := newService(pool)
	for _, nested := range []bool{false, true} {
		g := must(s.RFM(t.Context(), Scheme{Nested: nested, Returns: true}))
		var spent decimal.Decimal
		for _, c := range g.Cells {
			var err error
			if spent, err = spent.Add(c.Spent); err != nil {
				t.Fatal(err)
			}
		}
		if want := decimal.MustParse("12000000000000000"); spent.Round(0).Cmp(want) != 0 {
			t.Errorf("nested %v: %s were spent, not %s", nested, spent, want)
		}
	}
	for _, spent := range []string{"9999999999999999999", "999999999999999999.5", "922337203685478"} {
		_, err := s.RFM(t.Context(), Scheme{Limits: &Limits{Days: []int{30}, Orders: []int{1}, Spent: []decimal.Decimal{decimal.MustParse(spent)}}, Returns: true})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("limit %s: %v", spent, err)
		}
	}
}

// Who asks the same at the same time shares one look at the house file, and who gives up waiting is not kept.
func TestScoringIsDoneOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec(t, pool, `INSERT INTO customers (orders_count, total_spent, last_order_at, created_at, updated_at) SELECT 1, 10, $1, $1, $1 FROM generate_series(1, 20)`, testNow)
	var ticks atomic.Int64
	now := func() time.Time { return testNow.Add(time.Duration(ticks.Add(1)) * time.Millisecond) }
	s := New(pool, segments.New(pool, now), settings.New(pool, now), now)
	done, err := s.alone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.RFM(short, Scheme{Returns: true}); err == nil {
		t.Fatal("it was scored beside another")
	}
	var group errgroup.Group
	grids := make([]Grid, 6)
	for i := range grids {
		group.Go(func() (err error) {
			grids[i], err = s.RecentRFM(t.Context(), Scheme{Returns: true})
			return err
		})
	}
	time.Sleep(50 * time.Millisecond)
	done()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, g := range grids {
		if g.Customers != 20 || !g.At.Equal(grids[0].At) {
			t.Errorf("scored at %s and %s, %d customers", g.At, grids[0].At, g.Customers)
		}
	}
}
