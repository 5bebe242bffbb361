package pace

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Ramp lets the daily volume of a new sender grow: Start messages on the first day, and Growth percent more after each day of
// which at least half was used. After a day of Target messages there is no limit any more.
type Ramp struct {
	Start, Growth, Target int64 // Start 0: no ramp
	Sender                string
	Zone                  *time.Location // whose midnight begins a day; nil for UTC
}

// EmailRamp gives the ramp of an e-mail sender; another domain begins anew.
func EmailRamp(start, growth, target int, from string, zone *time.Location) Ramp {
	return Ramp{Start: int64(start), Growth: int64(growth), Target: int64(target),
		Sender: strings.ToLower(from[strings.LastIndexByte(from, '@')+1:]), Zone: zone}
}

// On tells whether there is a ramp.
func (r Ramp) On() bool { return r.Start > 0 }

// after gives what is allowed on the day after one; unlimited where the ramp is over.
func (r Ramp) after(allowed, taken int64) int64 {
	switch {
	case taken*2 < allowed:
		return min(allowed, r.Target)
	case allowed >= r.Target:
		return unlimited
	}
	return min(r.Target, max(allowed+1, int64(math.Round(float64(allowed)*(1+float64(r.Growth)/100)))))
}

const unlimited = math.MaxInt64

// Standing is how far a sender is on a day.
type Standing struct {
	Day            time.Time // its midnight
	Allowed, Taken int64
	Limited        bool // false once the ramp is over
	Tomorrow       int64
}

// Left is how many messages may still go.
func (s Standing) Left() int64 {
	if !s.Limited {
		return unlimited
	}
	return max(0, s.Allowed-s.Taken)
}

// Next is when the next day begins.
func (s Standing) Next() time.Time { return s.Day.AddDate(0, 0, 1) }

// Querier is a pool or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (r Ramp) day(now time.Time) time.Time {
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	now = now.In(zone)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
}

func (r Ramp) args(day time.Time) pgx.NamedArgs {
	return pgx.NamedArgs{"channel": "email", "sender": r.Sender, "day": day.Format(time.DateOnly)}
}

// Look tells how far the sender is today.
func (r Ramp) Look(ctx context.Context, q Querier, now time.Time) (Standing, error) {
	s := Standing{Day: r.day(now), Allowed: r.Start, Limited: r.On()}
	if !s.Limited {
		return s, nil
	}
	var allowed, taken *int64 // of the last day before this one; what is allowed today follows from the settings as they are now
	err := q.QueryRow(ctx, `
		SELECT coalesce((SELECT taken FROM ramp_days WHERE channel = @channel AND sender = @sender AND day = @day::date), 0), p.allowed, p.taken
		FROM (SELECT) one LEFT JOIN LATERAL (SELECT allowed, taken FROM ramp_days WHERE channel = @channel AND sender = @sender AND day < @day::date
			ORDER BY day DESC LIMIT 1) p ON true`, r.args(s.Day)).Scan(&s.Taken, &allowed, &taken)
	if err != nil {
		return s, err
	}
	if allowed != nil {
		s.Allowed = r.after(*allowed, *taken)
	}
	s.Limited = s.Allowed != unlimited
	if s.Tomorrow = unlimited; s.Limited {
		s.Tomorrow = r.after(s.Allowed, s.Allowed)
	}
	return s, nil
}

// TakeTx takes up to n messages from today's volume and gives how many may go; the day's row stays locked until the
// transaction ends, so that several processes together do not take more.
func (r Ramp) TakeTx(ctx context.Context, tx pgx.Tx, n int, now time.Time) (int, error) {
	s, err := r.Look(ctx, tx, now)
	if err != nil || !s.Limited {
		return n, err
	}
	args := r.args(s.Day)
	args["allowed"] = s.Allowed
	if _, err := tx.Exec(ctx, `INSERT INTO ramp_days (channel, sender, day, allowed) VALUES (@channel, @sender, @day::date, @allowed)
		ON CONFLICT (channel, sender, day) DO NOTHING`, args); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, `SELECT taken FROM ramp_days WHERE channel = @channel AND sender = @sender AND day = @day::date FOR UPDATE`,
		args).Scan(&s.Taken); err != nil {
		return 0, err
	}
	n = int(min(int64(n), s.Left()))
	args["n"] = n
	_, err = tx.Exec(ctx, `UPDATE ramp_days SET taken = taken + @n, allowed = @allowed WHERE channel = @channel AND sender = @sender AND day = @day::date`, args)
	return n, err
}

// Execer is a pool or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// GiveBack returns n messages that were taken at a time and not handed over.
func (r Ramp) GiveBack(ctx context.Context, q Execer, n int, taken time.Time) error {
	if n == 0 || !r.On() {
		return nil
	}
	args := r.args(r.day(taken))
	args["n"] = n
	_, err := q.Exec(ctx, `UPDATE ramp_days SET taken = greatest(0, taken - @n) WHERE channel = @channel AND sender = @sender AND day = @day::date`, args)
	return err
}
