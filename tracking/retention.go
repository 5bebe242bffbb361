package tracking

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// MonthsArgs makes the tables of the months to come and deletes opens and clicks that are too old.
type MonthsArgs struct{}

// Kind names the job.
func (MonthsArgs) Kind() string { return "tracking_months" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (MonthsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Tracking, UniqueOpts: river.UniqueOpts{ByPeriod: time.Hour}}
}

const monthsEvery = 6 * time.Hour

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(monthsEvery),
		func() (river.JobArgs, *river.InsertOpts) { return MonthsArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})}
}

type monthsWorker struct {
	river.WorkerDefaults[MonthsArgs]
	service *Service
}

// Timeout is for a month of many millions of hits.
func (w *monthsWorker) Timeout(*river.Job[MonthsArgs]) time.Duration { return 2 * time.Hour }

// Work makes and takes away months.
func (w *monthsWorker) Work(ctx context.Context, _ *river.Job[MonthsArgs]) error {
	if err := w.service.MakeMonths(ctx); err != nil {
		return err
	}
	if err := w.service.ForgetHits(ctx); err != nil {
		return err
	}
	// The planner's figures of a table in parts are nobody else's business: autovacuum looks at the parts alone.
	_, err := w.service.pool.Exec(ctx, `ANALYZE responses`)
	return err
}

// ForgetHits deletes opens and clicks of months that ended before the number of whole months that the settings keep (hit_months; 0: all).
// Everything else that came back stays. A campaign that ended before that time is sealed first, which keeps its figures and credits as they are; the hits of
// others stay until they have ended, since their figures are still counted from them.
func (s *Service) ForgetHits(ctx context.Context) error {
	v, err := s.settings.Get(ctx)
	if err != nil || v.HitMonths == 0 {
		return err
	}
	cut := month{monthOf(s.now()).from.AddDate(0, -v.HitMonths, 0)}
	if _, err := s.pool.Exec(ctx, sealSQL, pgx.NamedArgs{"cut": cut.from, "now": s.now()}); err != nil {
		return err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT c.campaign_id FROM campaigns c LEFT JOIN rollups k ON k.campaign_id = c.campaign_id WHERE k.sealed_at IS NULL ORDER BY c.campaign_id`)
	if err != nil {
		return err
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	have, err := s.months(ctx)
	if err != nil {
		return err
	}
	for _, table := range []string{"responses_past", "responses_default"} {
		if err := s.deleteHits(ctx, table, cut, held); err != nil {
			return err
		}
	}
	for _, m := range have {
		if !m.from.Before(cut.from) {
			break
		}
		if err := s.forgetMonth(ctx, m, cut, held); err != nil {
			return fmt.Errorf("hits of %s: %w", m.from.Format("2006-01"), err)
		}
	}
	return s.joinPast(ctx, cut)
}

// sealSQL seals campaigns that ended before the time and whose figures are all counted.
const sealSQL = `
	UPDATE rollups k SET sealed_at = @now FROM campaigns c
	WHERE c.campaign_id = k.campaign_id AND c.state IN ('finished', 'cancelled') AND coalesce(c.finished_at, c.updated_at) < @cut AND k.sealed_at IS NULL AND k.complete
		AND NOT EXISTS (SELECT 1 FROM rollup_marks m WHERE m.campaign_id = k.campaign_id)`

// goneSQL tells whether a row is a hit that is needed no more.
const goneSQL = `kind IN ('open', 'click') AND coalesce(campaign_id <> ALL (@held::bigint[]), true)`

// exchangeMost is how many rows of a month may stay for it to be copied while everybody waits: a second or two.
const exchangeMost = 500_000

// forgetMonth deletes the hits of one month. Where few rows stay they are copied to a new table, and the old one is dropped. All months are locked from the
// beginning: statements that change rows of several months hold what the exchange needs, and wait for what it holds, if it begins with one of them.
func (s *Service) forgetMonth(ctx context.Context, m, cut month, held []int64) error {
	var gone, all int64
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE `+goneSQL+`), count(*) FROM `+m.table(), pgx.NamedArgs{"held": held}).Scan(&gone, &all); err != nil {
		return err
	}
	switch {
	case gone == 0:
		return nil
	case gone < all/5 || all-gone > exchangeMost:
		return s.deleteHits(ctx, m.table(), cut, held)
	}
	err := s.changeMonths(ctx, func(tx pgx.Tx) error {
		if err := run(ctx, tx,
			`CREATE TABLE responses_staying (LIKE responses INCLUDING ALL)`,
			`ALTER TABLE responses_staying ADD CONSTRAINT within_month CHECK (`+m.within()+`)`,
			`LOCK TABLE ONLY responses IN ACCESS EXCLUSIVE MODE`,
			`LOCK TABLE `+m.table()+` IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO responses_staying (`+responseColumns+`) SELECT `+responseColumns+` FROM `+m.table()+` WHERE NOT (`+goneSQL+`)`,
			pgx.NamedArgs{"held": held}); err != nil {
			return err
		}
		return run(ctx, tx,
			`ALTER TABLE responses DETACH PARTITION `+m.table(),
			`DROP TABLE `+m.table(),
			`ALTER TABLE responses_staying RENAME TO `+m.table(),
			`ALTER TABLE responses ATTACH PARTITION `+m.table()+` `+m.values(),
			`ALTER TABLE `+m.table()+` DROP CONSTRAINT within_month`)
	})
	if err == nil {
		s.log.Info("old opens and clicks are deleted", "month", m.from.Format("2006-01"), "rows", gone)
	}
	return err
}

const (
	forgetAtOnce  = 20_000 // rows: a table with fewer is moved as it is
	forgetAtATime = 500    // blocks of one transaction, some 30,000 rows
)

// deleteHits deletes hits of a table that is not a month's, or of a month much of which stays. It goes through the table once, part by part.
func (s *Service) deleteHits(ctx context.Context, table string, cut month, held []int64) error {
	var blocks int64
	if err := s.pool.QueryRow(ctx, `SELECT pg_relation_size('`+table+`') / current_setting('block_size')::bigint`).Scan(&blocks); err != nil {
		return err
	}
	for from := int64(0); from < blocks; from += forgetAtATime {
		if _, err := s.pool.Exec(ctx, `DELETE FROM `+table+` WHERE ctid >= @from::text::tid AND ctid < @till::text::tid AND at < @cut AND `+goneSQL,
			pgx.NamedArgs{"from": fmt.Sprintf("(%d,0)", from), "till": fmt.Sprintf("(%d,0)", from+forgetAtATime), "cut": cut.from, "held": held}); err != nil {
			return err
		}
	}
	return nil
}

// joinPast puts what little stays of the oldest months together with the past, so that their tables do not add up over the years.
func (s *Service) joinPast(ctx context.Context, cut month) error {
	have, err := s.months(ctx)
	if err != nil {
		return err
	}
	for _, m := range have {
		if !m.from.Before(cut.from) {
			return nil
		}
		var few bool
		if err := s.pool.QueryRow(ctx, `SELECT count(*) < @limit FROM (SELECT 1 FROM `+m.table()+` LIMIT @limit) AS r`, pgx.NamedArgs{"limit": forgetAtOnce}).Scan(&few); err != nil || !few {
			return err
		}
		till := `CHECK (at < '` + instant(m.next().from) + `')`
		for _, sql := range []string{ // looked through before anybody has to wait
			`ALTER TABLE responses_past DROP CONSTRAINT IF EXISTS before_months`,
			`ALTER TABLE responses_past ADD CONSTRAINT before_months ` + till + ` NOT VALID`,
			`ALTER TABLE responses_past VALIDATE CONSTRAINT before_months`,
		} {
			if err := s.changeMonths(ctx, func(tx pgx.Tx) error { return run(ctx, tx, sql) }); err != nil {
				return err
			}
		}
		if err := s.changeMonths(ctx, func(tx pgx.Tx) error {
			return run(ctx, tx,
				`ALTER TABLE responses DETACH PARTITION `+m.table(),
				`ALTER TABLE responses DETACH PARTITION responses_past`,
				`INSERT INTO responses_past (`+responseColumns+`) SELECT `+responseColumns+` FROM `+m.table(),
				`DROP TABLE `+m.table(),
				`ALTER TABLE responses ATTACH PARTITION responses_past FOR VALUES FROM (MINVALUE) TO ('`+instant(m.next().from)+`')`,
				`ALTER TABLE responses_past DROP CONSTRAINT before_months`)
		}); err != nil {
			return err
		}
	}
	return nil
}
