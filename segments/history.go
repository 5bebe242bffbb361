package segments

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// DayCount is the size of a segment on a day: its last exact count of that day.
type DayCount struct {
	Day     time.Time `json:"day"`
	Version int       `json:"version"`
	Members int64     `json:"members"`
}

// CountSegment counts a saved segment exactly and keeps the number with it and with the day, or why there is none. It fails with NotFound
// and like Count.
func (s *Service) CountSegment(ctx context.Context, id ID) (Count, error) {
	segment, err := s.whole(ctx, id)
	if err != nil {
		return Count{}, err
	}
	count, err := s.Count(ctx, segment.Expression, Exact)
	if err != nil {
		return Count{}, s.notCounted(ctx, segment, err)
	}
	// Only where the expression is still the one that was counted.
	_, err = s.pool.Exec(ctx, `
		WITH counted AS (
			UPDATE segments SET last_count = @count, counted_at = @now, count_tried_at = @now, count_error = '' WHERE segment_id = @id AND expression = @expression
			RETURNING segment_id, version)
		INSERT INTO segment_counts (segment_id, day, version, members, counted_at)
		SELECT segment_id, (@now::timestamptz AT TIME ZONE 'UTC')::date, version, @count, @now FROM counted
		ON CONFLICT (segment_id, day) DO UPDATE
		SET version = EXCLUDED.version, members = EXCLUDED.members, counted_at = EXCLUDED.counted_at`,
		pgx.NamedArgs{"id": id, "expression": segment.Expression, "count": count.Count, "now": s.now()})
	return count, err
}

// notCounted keeps with a segment why it could not be counted, and gives the error back. That others count, or that the one who asked
// is gone or may not see it, is no fault of the segment.
func (s *Service) notCounted(ctx context.Context, of Segment, cause error) error {
	if ctx.Err() != nil || errors.Is(cause, errNoTurn) || !MaySeeAll(ctx) {
		return cause
	}
	why := "the database failed; the log of the program says how"
	var known *fault.Error
	if errors.As(cause, &known) && known.Kind != fault.Internal {
		if why = known.Message; len(known.Fields) > 0 {
			var all []string
			for _, f := range known.Fields {
				all = append(all, f.Message)
			}
			why = strings.Join(all, "; ")
		}
	}
	_, err := s.pool.Exec(ctx, `UPDATE segments SET count_tried_at = @now, count_error = @why WHERE segment_id = @id AND expression = @expression`,
		pgx.NamedArgs{"id": of.ID, "expression": of.Expression, "why": storable(why), "now": s.now()})
	return errors.Join(cause, err)
}

// History gives the sizes of a segment over the last days (at most 1,000, 90 where 0), oldest first; days on which nobody
// counted are missing. Of a segment that is hidden from the actor there are none.
func (s *Service) History(ctx context.Context, id ID, days int) ([]DayCount, error) {
	if days <= 0 {
		days = 90
	}
	if !MaySeeAll(ctx) {
		if of, err := s.Get(ctx, id); err != nil || of.Hidden {
			return nil, err
		}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT day, version, members FROM segment_counts
		WHERE segment_id = @id AND day > (@now::timestamptz AT TIME ZONE 'UTC')::date - @days::integer
		ORDER BY day`, pgx.NamedArgs{"id": id, "now": s.now(), "days": min(days, 1000)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DayCount])
}
