package tracking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Responses are stored in a table a month (UTC), so that old hits go by dropping a table. What is older than the first month lies in
// responses_past, whatever has no month in responses_default: nothing is turned away for its date, and what came before its month had a table
// moves there when it gets one.
const (
	monthsAhead = 2 // made in advance, besides the current one
	monthLayout = "responses_2006_01"

	lockMonths    = 0x4d6f6e7468 // key of the advisory lock under which months are made and taken away
	lockMonthsFor = "2s"         // how long a change of tables may hold up others
)

// month is the table of one month.
type month struct{ from time.Time }

func monthOf(t time.Time) month {
	t = t.UTC()
	return month{time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)}
}

func (m month) next() month   { return month{m.from.AddDate(0, 1, 0)} }
func (m month) table() string { return m.from.Format(monthLayout) }

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05+00") }

// values names the range in SQL.
func (m month) values() string {
	return fmt.Sprintf(`FOR VALUES FROM ('%s') TO ('%s')`, instant(m.from), instant(m.next().from))
}

// within is the range as a condition.
func (m month) within() string {
	return fmt.Sprintf(`at >= '%s' AND at < '%s'`, instant(m.from), instant(m.next().from))
}

// MakeMonths makes the tables of months that are missing, up to two after the current one.
func (s *Service) MakeMonths(ctx context.Context) error {
	have, err := s.months(ctx)
	if err != nil {
		return err
	}
	known := map[month]bool{}
	for _, m := range have {
		known[m] = true
	}
	this := monthOf(s.now())
	first := this
	if len(have) > 0 {
		first = have[0]
	}
	for m := first; !m.from.After(this.from.AddDate(0, monthsAhead, 0)); m = m.next() {
		if known[m] {
			continue
		}
		if err := s.changeMonths(ctx, func(tx pgx.Tx) error { return makeMonthTx(ctx, tx, m) }); err != nil {
			return fmt.Errorf("responses of %s: %w", m.from.Format("2006-01"), err)
		}
	}
	return nil
}

// months gives the months that have a table, in order.
func (s *Service) months(ctx context.Context) ([]month, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT to_date(substr(c.relname, 11), 'YYYY_MM')::timestamptz FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'responses'::regclass AND c.relname ~ '^responses_\d{4}_\d\d$' ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (month, error) {
		var t time.Time
		err := r.Scan(&t)
		return month{t.UTC()}, err
	})
}

// changeMonths runs a change of tables: one at a time in all processes, and given up where it would keep others waiting.
func (s *Service) changeMonths(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockMonths)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '`+lockMonthsFor+`'`); err != nil {
			return err
		}
		return do(tx)
	})
}

// makeMonthTx makes the table of a month, with what lies in the default table of it. It is made apart and attached, which
// keeps nobody from writing to the other months.
func makeMonthTx(ctx context.Context, tx pgx.Tx, m month) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, m.table()).Scan(&exists); err != nil || exists {
		return err
	}
	return run(ctx, tx,
		`CREATE TABLE `+m.table()+` (LIKE responses INCLUDING ALL)`,
		`ALTER TABLE `+m.table()+` ADD CONSTRAINT within_month CHECK (`+m.within()+`)`,
		`LOCK TABLE responses_default IN ACCESS EXCLUSIVE MODE`,
		`WITH moved AS (DELETE FROM responses_default WHERE `+m.within()+` RETURNING `+responseColumns+`)
			INSERT INTO `+m.table()+` (`+responseColumns+`) SELECT `+responseColumns+` FROM moved`,
		`ALTER TABLE responses ATTACH PARTITION `+m.table()+` `+m.values(),
		`ALTER TABLE `+m.table()+` DROP CONSTRAINT within_month`)
}

// monthMade tells whether a row was turned away because its month got a table at this moment: the next try finds it.
func monthMade(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "23514" && pe.TableName == "responses_default" && pe.ConstraintName == ""
}

const responseColumns = `customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref, method, machine, detail, rules`

func run(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
