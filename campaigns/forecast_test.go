package campaigns

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aldine/campaigns/content"
	"aldine/internal/fault"
)

// Forecasts take their turn among those who look at all customers, and end after their time.
func TestForecastsLeaveRoom(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 1_000)
	f.exec(t, `UPDATE customers SET city = repeat('a', 2000)`)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Journey: oneMail, Expression: `city matches "(a*)*(a*)*(a|aa)*b"`})
	turns := max(1, f.pool.Config().MaxConns/4)
	var leaves []func()
	for range turns {
		leave, err := f.segments.Room(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var people errgroup.Group
	for range 20 {
		people.Go(func() error {
			if _, err := f.Forecast(ctx, d.ID); err == nil {
				t.Error("a forecast without its turn")
			}
			return nil
		})
	}
	time.Sleep(50 * time.Millisecond)
	if n := f.pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections wait for a turn", n)
	}
	_ = people.Wait()
	for _, leave := range leaves {
		leave()
	}
	if _, err := f.Forecast(t.Context(), d.ID); err != nil {
		t.Errorf("in its turn: %v", err)
	}
	f.patience = time.Millisecond
	if _, err := f.Forecast(t.Context(), d.ID); !fault.Is(err, fault.Unavailable) {
		t.Errorf("too long: %v", err)
	}
}
