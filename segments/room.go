package segments

import (
	"context"
	"errors"
	"runtime"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/fault"
)

// Looks at all customers take seconds: many people who ask at once would take all connections, and mails and clicks would wait for
// them. So only some look at a time, and the others wait their turn. Estimates, which take milliseconds, do not.

// roomOf gives how many may look at a time: a fourth of the connections.
func roomOf(pool *pgxpool.Pool) int32 { return max(1, pool.Config().MaxConns/4) }

// Room waits for the turn to look at all customers, and gives what ends it. It fails where ctx ends before, and with Unavailable
// after the time that a count may take.
func (s *Service) Room(ctx context.Context) (leave func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	leave, err = s.turn(waiting)
	if err != nil && ctx.Err() == nil {
		return nil, fault.Wrap(fault.Unavailable, errNoTurn, "Too many counts are under way: try again in a minute, or ask for an estimate")
	}
	return leave, err
}

// errNoTurn is why Room fails.
var errNoTurn = errors.New("no turn to look at all customers")

// turn is Room for who waits as long as it takes.
func (s *Service) turn(ctx context.Context) (leave func(), err error) {
	select {
	case s.room <- struct{}{}:
		return func() { <-s.room }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// counters gives how many connections count slices, beside the one that holds what they see: half of all are left to others.
// Below two nothing is gained.
func (s *Service) counters() int {
	return min(4, max(2, runtime.NumCPU()), int(s.pool.Config().MaxConns)/2-1)
}
