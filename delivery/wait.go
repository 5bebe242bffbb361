package delivery

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/settings"
)

// waitFor puts a job off until its messages may go; it holds nothing meanwhile. A campaign that is not running needs no job: whoever
// resumes it makes new ones.
func (s *Service) waitFor(ctx context.Context, b batch, next time.Time) error {
	on, err := s.running(ctx, b.CampaignID)
	if err != nil || !on {
		return err
	}
	return river.JobSnooze(max(soon, next.Sub(s.now())+spread()))
}

// leaveLate excludes touches whose hours begin after the campaign's end.
func (s *Service) leaveLate(ctx context.Context, b batch, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		args := claimArgs(b, v, ids, 0, "", now)
		args["goes"] = *b.EndsAt
		all, err := judgeTx(ctx, tx, b, v, args, len(ids))
		if err != nil {
			return err
		}
		return bookTx(ctx, tx, b, all, now)
	})
}

// tomorrow tells when a day begins on which the sender of a step has volume again.
func (s *Service) tomorrow(ctx context.Context, b batch, v settings.Values, now time.Time) (*left, error) {
	standing, err := rampOf(b, v).Look(ctx, s.pool, now)
	if err != nil {
		return nil, err
	}
	return &left{next: standing.Next()}, nil
}

// giveBack returns what was taken of a day's volume for messages that were not handed over.
func (s *Service) giveBack(ctx context.Context, b batch, n int, taken time.Time) {
	v, err := s.settings.Get(ctx)
	if err == nil {
		err = rampOf(b, v).GiveBack(ctx, s.pool, n, taken)
	}
	if err != nil {
		s.log.Warn("the day's volume counts messages that were not sent", "campaign", b.Code, "messages", n, "error", err)
	}
}
