package mergepurge

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/pg"
)

// apply makes the merged list. What a chunk has done shows in its rows, so that one who takes over does none twice: a
// rented name that is in has its customer's number, and whoever is a member already is one.
func (s *Service) apply(ctx context.Context, run Run) error {
	if err := s.makeLists(ctx, &run); err != nil {
		return err
	}
	done, total := int64(0), run.first(1<<30)-1
	step := func(n int64) error {
		done += n
		return s.phase(ctx, &run, Applying, min(done, total), total)
	}
	if err := step(0); err != nil {
		return err
	}
	skipped := int64(0)
	for i := range run.Inputs {
		in := &run.Inputs[i]
		var err error
		switch in.Kind {
		case House:
			var n int64
			n, err = s.applyHouse(ctx, &run, in, step)
			skipped += n
		case Rented:
			err = s.applyRented(ctx, &run, in, step)
		default:
			err = step(in.Rows)
		}
		if err != nil {
			return err
		}
	}
	if err := s.forget(ctx, &run); err != nil {
		return err
	}
	if err := pg.Analyze(ctx, s.pool, "customers", "list_members"); err != nil {
		return err
	}
	tag, err := s.pool.Exec(ctx, `UPDATE merge_runs SET state = 'applied', phase = '', done = 0, total = 0, error = NULL,
		report = jsonb_set(report, '{skipped}', to_jsonb(@skipped::bigint)) WHERE run_id = @run AND state = 'applying'`,
		pgx.NamedArgs{"run": run.ID, "skipped": skipped})
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errStopped
	}
	s.dropUploads(run)
	return nil
}

// makeLists makes the merged list and the rented lists that do not exist, once, and keeps what was delivered of each.
func (s *Service) makeLists(ctx context.Context, run *Run) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		locked, err := s.run(ctx, tx, run.ID, "FOR UPDATE")
		if err != nil {
			return err
		}
		if locked.State != Applying {
			return errStopped
		}
		*run = locked
		if run.ListID != 0 {
			return nil
		}
		if err := tx.QueryRow(ctx, `INSERT INTO lists (name, kind, created_at) VALUES (@name, 'merged', @now) ON CONFLICT (name) DO NOTHING RETURNING list_id`,
			pgx.NamedArgs{"name": run.Name, "now": now}).Scan(&run.ListID); errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "There is a list named %q already: give the run another name", run.Name)
		} else if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE merge_runs SET list_id = @list WHERE run_id = @run`, pgx.NamedArgs{"list": run.ListID, "run": run.ID}); err != nil {
			return err
		}
		for i := range run.Inputs {
			if in := &run.Inputs[i]; in.Kind == Rented {
				if err := s.makeRentedTx(ctx, tx, run, in); err != nil {
					return err
				}
			}
		}
		return audit.RecordTx(ctx, tx, now, "list.save", "list", run.ListID, map[string]any{"name": run.Name, "kind": "merged", "merge_run": run.ID})
	})
}

// makeRentedTx makes an input's rented list with its deal, or gives one that is there the run's deal.
func (s *Service) makeRentedTx(ctx context.Context, tx pgx.Tx, run *Run, in *Input) error {
	deal := in.Deal
	if deal == nil {
		deal = &Deal{NetShare: one}
	}
	gross := deal.Gross
	if gross == 0 {
		gross = in.Rows
	}
	var kind string
	if err := tx.QueryRow(ctx, `
		INSERT INTO lists (name, kind, price_per_thousand, currency, net_share, running_charge, extra_per_thousand, gross, uses, mail_by, created_at)
		VALUES (@name, 'rented', @price, nullif(@currency, ''), @share, @running, @extra, @gross, @uses, nullif(@by, '')::date, @now)
		ON CONFLICT (name) DO UPDATE SET price_per_thousand = excluded.price_per_thousand, currency = excluded.currency, net_share = excluded.net_share,
			running_charge = excluded.running_charge, extra_per_thousand = excluded.extra_per_thousand, gross = excluded.gross,
			uses = excluded.uses, mail_by = excluded.mail_by
		WHERE lists.kind = 'rented' AND @given
		RETURNING list_id, kind`, pgx.NamedArgs{"name": in.Name, "price": deal.PricePerThousand, "currency": deal.Currency, "share": deal.NetShare,
		"running": deal.RunningCharge, "extra": deal.ExtraPerThousand, "gross": gross, "uses": max(1, deal.Uses), "by": deal.MailBy, "now": s.now(),
		"given": in.Deal != nil}).Scan(&in.ListID, &kind); errors.Is(err, pgx.ErrNoRows) {
		if err := tx.QueryRow(ctx, `SELECT list_id, kind FROM lists WHERE name = @name`, pgx.NamedArgs{"name": in.Name}).Scan(&in.ListID, &kind); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if kind != Rented {
		return fault.New(fault.Conflict, "There is a %s list named %q: the rented list needs another name", kind, in.Name)
	}
	if _, err := tx.Exec(ctx, `UPDATE merge_inputs SET list_id = @list WHERE run_id = @run AND input_no = @no`,
		pgx.NamedArgs{"list": in.ListID, "run": run.ID, "no": in.No}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, s.now(), "list.save", "list", in.ListID, map[string]any{"name": in.Name, "kind": Rented, "merge_run": run.ID})
}

// applyHouse makes the net customers members of the merged list, as whom they are known now; it counts those who are no more.
func (s *Service) applyHouse(ctx context.Context, run *Run, in *Input, step func(int64) error) (skipped int64, err error) {
	first := run.first(in.No)
	for from := first; from < first+in.Rows; from += s.sizes.records {
		to := min(from+s.sizes.records, first+in.Rows) - 1
		var gone int64
		if err := s.pool.QueryRow(ctx, `
			WITH net AS (SELECT coalesce(a.customer_id, m.customer_id) AS customer_id FROM merge_records m LEFT JOIN customer_aliases a ON a.old_id = m.customer_id
				WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict = 'net'),
			joined AS (INSERT INTO list_members (customer_id, list_id, added_at)
				SELECT DISTINCT c.customer_id, @list::bigint, @now::timestamptz FROM net JOIN customers c USING (customer_id) ORDER BY 1 ON CONFLICT DO NOTHING)
			SELECT count(*) FROM net LEFT JOIN customers c USING (customer_id) WHERE c.customer_id IS NULL`,
			pgx.NamedArgs{"run": run.ID, "from": from, "to": to, "list": run.ListID, "now": s.now()}).Scan(&gone); err != nil {
			return 0, err
		}
		skipped += gone
		if err := step(to - from + 1); err != nil {
			return 0, err
		}
	}
	return skipped, nil
}

// applyRented makes rented names of an input's net records, and members of its list of the house names that it hit.
func (s *Service) applyRented(ctx context.Context, run *Run, in *Input, step func(int64) error) error {
	first := run.first(in.No)
	for from := first; from < first+in.Rows; from += s.sizes.rented {
		to := min(from+s.sizes.rented, first+in.Rows) - 1
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.applyChunkTx(ctx, tx, run, in, from, to) }); err != nil {
			return err
		}
		if err := step(to - from + 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) applyChunkTx(ctx context.Context, tx pgx.Tx, run *Run, in *Input, from, to int64) error {
	args := pgx.NamedArgs{"run": run.ID, "from": from, "to": to, "list": in.ListID, "now": s.now()}
	rows, err := tx.Query(ctx, `SELECT record_no, fields FROM merge_records
		WHERE run_id = @run AND record_no BETWEEN @from AND @to AND verdict = 'net' AND customer_id IS NULL AND fields IS NOT NULL ORDER BY record_no FOR UPDATE`, args)
	if err != nil {
		return err
	}
	var nos []int64
	var names []customers.Fields
	if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n int64, err error) {
		var fields map[string]string
		if err := row.Scan(&n, &fields); err != nil {
			return n, err
		}
		nos, names = append(nos, n), append(names, customers.FieldsFrom(fields))
		return n, nil
	}); err != nil {
		return err
	}
	nos, names, err = s.withoutErased(ctx, tx, nos, names)
	if err != nil {
		return err
	}
	ids, err := s.customers.InsertRentedTx(ctx, tx, in.ListID, []int64{in.ListID, run.ListID}, names)
	if err != nil {
		return err
	}
	args["nos"], args["ids"] = nos, ids
	if _, err := tx.Exec(ctx, `UPDATE merge_records m SET customer_id = t.id FROM unnest(@nos::bigint[], @ids::bigint[]) AS t (no, id)
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.record_no = t.no`, args); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO list_members (customer_id, list_id, added_at)
		SELECT DISTINCT c.customer_id, @list::bigint, @now::timestamptz
		FROM merge_records m JOIN merge_records w ON w.run_id = m.run_id AND w.record_no = m.winner_no
		LEFT JOIN customer_aliases a ON a.old_id = w.customer_id
		JOIN customers c ON c.customer_id = coalesce(a.customer_id, w.customer_id)
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict = 'duplicate' AND m.reason = 'house'
		ORDER BY 1 ON CONFLICT DO NOTHING`, args)
	return err
}

// withoutErased leaves out people who asked to be erased since the report.
func (s *Service) withoutErased(ctx context.Context, tx pgx.Tx, nos []int64, names []customers.Fields) ([]int64, []customers.Fields, error) {
	reasons, err := s.customers.ErasedReasons(ctx, tx, names)
	if err != nil || reasons == nil {
		return nos, names, err
	}
	n := 0
	for i := range names {
		if reasons[i] == "" {
			nos[n], names[n] = nos[i], names[i]
			n++
		}
	}
	return nos[:n], names[:n], nil
}

// forget empties what the files said: rented names that are in are customers now, and the others were not hired to be kept. Why a row
// was rejected stays, without the value.
func (s *Service) forget(ctx context.Context, run *Run) error {
	last := run.first(1<<30) - 1
	for from := int64(1); from <= last; from += s.sizes.records {
		if _, err := s.pool.Exec(ctx, `
			UPDATE merge_records SET fields = NULL,
				reason = CASE verdict WHEN 'rejected' THEN regexp_replace(reason, '"([^"\\]|\\.)*" ?', '', 'g') ELSE reason END
			WHERE run_id = @run AND record_no BETWEEN @from AND @to AND (fields IS NOT NULL OR verdict = 'rejected' AND reason LIKE '%"%')`,
			pgx.NamedArgs{"run": run.ID, "from": from, "to": min(from+s.sizes.records-1, last)}); err != nil {
			return err
		}
	}
	return nil
}
