package customers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
)

// rejectSlice is how many rejected rows are deleted in one transaction.
const rejectSlice = 5_000

// reportWithoutExamples is an import's report without the values of its rejected rows.
const reportWithoutExamples = `jsonb_set(report, '{rejected}',
	(SELECT coalesce(jsonb_agg(r - 'example' ORDER BY n), '[]') FROM jsonb_array_elements(report -> 'rejected') WITH ORDINALITY AS t (r, n)))`

// ForgetRejects deletes one slice of the rejected rows of imports that ended before a moment, and gives how many; 0 when none is
// left. Rows hold what people sent about people, and the import's figures stay.
func (s *Service) ForgetRejects(ctx context.Context, before time.Time) (gone int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var imports int
		if err := tx.QueryRow(ctx, `
			WITH old AS (
				SELECT r.import_id, r.line FROM imports i
				CROSS JOIN LATERAL (SELECT import_id, line FROM import_rejects WHERE import_id = i.import_id ORDER BY line LIMIT @slice) r
				WHERE i.finished_at < @before ORDER BY r.import_id, r.line LIMIT @slice),
			gone AS (DELETE FROM import_rejects r USING old o WHERE r.import_id = o.import_id AND r.line = o.line RETURNING r.import_id),
			shown AS (UPDATE imports SET report = `+reportWithoutExamples+` WHERE import_id IN (SELECT import_id FROM gone) AND report ? 'rejected')
			SELECT count(*), count(DISTINCT import_id) FROM gone`, pgx.NamedArgs{"before": before, "slice": rejectSlice}).Scan(&gone, &imports); err != nil || gone == 0 {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "import.forget_rejects", "import", "many", map[string]any{"rows": gone, "imports": imports})
	})
	return gone, err
}
