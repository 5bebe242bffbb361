package mergepurge

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/internal/pg"
)

// report computes the figures of all inputs from the records, checks that they add up, and finishes the run.
func (s *Service) report(ctx context.Context, run *Run) error {
	if err := s.phase(ctx, run, Reporting, 0, 3); err != nil {
		return err
	}
	if err := pg.Analyze(ctx, s.pool, "merge_records"); err != nil { // verdicts and groups are new
		return err
	}
	r := &Report{Multi: map[int]int64{}, Inputs: make([]InputReport, len(run.Inputs))}
	if run.Report != nil {
		r.ReviewPairs = run.Report.ReviewPairs
	}
	place := map[int]int{}
	for i, in := range run.Inputs {
		place[in.No] = i
		r.Inputs[i] = InputReport{No: in.No, Kind: in.Kind, Name: in.Name, Input: in.Rows, SuppressedBy: map[string]int64{}}
	}
	if err := s.reportCounts(ctx, run, r, place); err != nil {
		return err
	}
	if err := s.phase(ctx, run, Reporting, 1, 3); err != nil {
		return err
	}
	if err := s.reportOverlap(ctx, run, r, place); err != nil {
		return err
	}
	if err := s.phase(ctx, run, Reporting, 2, 3); err != nil {
		return err
	}
	for i := range r.Inputs {
		in := &r.Inputs[i]
		r.Net += in.Net
		if err := in.reconcile(); err != nil {
			return err
		}
		if deal := run.Inputs[i].Deal; in.Kind == Rented && deal != nil {
			gross := deal.Gross
			if gross == 0 {
				gross = in.Input
			}
			var err error
			if in.Charge, err = charge(*deal, gross, in.Net); err != nil {
				return err
			}
		}
	}
	now := s.now()
	if run.StartedAt != nil {
		r.Seconds = now.Sub(*run.StartedAt).Seconds()
	}
	tag, err := s.pool.Exec(ctx, `UPDATE merge_runs SET state = 'finished', phase = '', done = 0, total = 0, report = @report, finished_at = @now
		WHERE run_id = @run AND state = 'running'`, pgx.NamedArgs{"report": r, "now": now, "run": run.ID})
	if err == nil && tag.RowsAffected() == 0 {
		err = errStopped
	}
	return err
}

// reconcile fails where a list's figures do not add up to its rows: then something is wrong with this program.
func (in *InputReport) reconcile() error {
	sum := in.Rejected + in.Suppressed + in.IntraDuplicates + in.InterDuplicates + in.HouseMatches + in.Net
	if in.Kind == Suppression {
		sum = in.Rejected + in.Entries
	}
	if sum != in.Input {
		return fmt.Errorf("the figures of input %d do not add up: %+v", in.No, *in)
	}
	return nil
}

// shownReasons is how many reasons of suppression are told apart in a list's report.
const shownReasons = 100

const otherReasons = "other reasons"

// reportCounts goes over all records once.
func (s *Service) reportCounts(ctx context.Context, run *Run, r *Report, place map[int]int) error {
	rows, err := s.pool.Query(ctx, `
		SELECT input_no, coalesce(verdict, ''), CASE WHEN verdict IN ('suppressed', 'duplicate') THEN coalesce(reason, '') ELSE '' END AS why,
			CASE WHEN verdict = 'net' THEN lists ELSE 0 END AS on_lists, count(*)
		FROM merge_records WHERE run_id = @run GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 5 DESC, 3, 4`, pgx.NamedArgs{"run": run.ID})
	if err != nil {
		return err
	}
	var no, lists int
	var verdict, why string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&no, &verdict, &why, &lists, &n}, func() error {
		in := &r.Inputs[place[no]]
		switch verdict {
		case Rejected:
			in.Rejected += n
		case "":
			in.Entries += n
		case Suppressed:
			in.Suppressed += n
			if len(in.SuppressedBy) >= shownReasons {
				why = otherReasons
			}
			in.SuppressedBy[why] += n
		case Duplicate:
			return in.duplicates(why, run.Level, n)
		case Net:
			in.Net += n
			switch {
			case in.Kind == House && lists > 0:
				r.HouseFlagged += n
			case in.Kind == Rented && lists > 1:
				in.MultiBuyers += n
				r.Multi[lists] += n
			}
		default:
			return fmt.Errorf("verdict %q", verdict)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range r.Inputs {
		if r.Inputs[i].Kind != Suppression {
			continue
		}
		first := run.first(r.Inputs[i].No)
		if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM merge_records WHERE run_id = @run AND verdict = 'suppressed' AND winner_no BETWEEN @from AND @to`,
			pgx.NamedArgs{"run": run.ID, "from": first, "to": first + r.Inputs[i].Input - 1}).Scan(&r.Inputs[i].Suppresses); err != nil {
			return err
		}
	}
	return nil
}

func (in *InputReport) duplicates(why, level string, n int64) error {
	byLevel := " (" + level + ")"
	switch why {
	case Intra, Intra + byLevel:
		in.IntraDuplicates += n
	case Inter, Inter + byLevel:
		in.InterDuplicates += n
	case HouseMatch, HouseMatch + byLevel:
		in.HouseMatches += n
	default:
		return fmt.Errorf("duplicate by %q", why)
	}
	if why != Intra && why != Inter && why != HouseMatch {
		in.ByLevel += n
	}
	return nil
}

// reportOverlap counts the names that lists share. A name is a group of records that are one at the run's level.
func (s *Service) reportOverlap(ctx context.Context, run *Run, r *Report, place map[int]int) error {
	r.Overlap = make([][]int64, len(run.Inputs))
	for i := range r.Overlap {
		r.Overlap[i] = make([]int64, len(run.Inputs))
	}
	count := func(sql string, both bool) error {
		rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{"run": run.ID})
		if err != nil {
			return err
		}
		var a, b int
		var n, back int64
		_, err = pgx.ForEachRow(rows, []any{&a, &b, &n, &back}, func() error {
			r.Overlap[place[a]][place[b]] += n
			if both {
				r.Overlap[place[b]][place[a]] += back
			}
			return nil
		})
		return err
	}
	if err := count(`SELECT input_no, input_no, count(*), 0::bigint FROM merge_records
		WHERE run_id = @run AND cluster_no IS NULL AND verdict IS DISTINCT FROM 'rejected' GROUP BY input_no ORDER BY input_no`, false); err != nil {
		return err
	}
	if err := overlapOfGroups(ctx, s.pool, run, r, place); err != nil {
		return err
	}
	// Names that a suppression file's row has the e-mail, phone or address of, without being the same name.
	return count(`SELECT m.input_no, e.input_no, count(DISTINCT coalesce(m.cluster_no, m.record_no)), count(DISTINCT e.record_no)
		FROM merge_records m JOIN merge_records e ON e.run_id = m.run_id AND e.record_no = m.winner_no
		WHERE m.run_id = @run AND m.verdict = 'suppressed' AND e.verdict IS NULL AND m.cluster_no IS DISTINCT FROM e.cluster_no
		GROUP BY 1, 2 ORDER BY 1, 2`, true)
}

// overlapOfGroups counts the names of several records by the lists that have them. There are few such sets of lists, and
// no join of the records with themselves.
func overlapOfGroups(ctx context.Context, q querier, run *Run, r *Report, place map[int]int) error {
	rows, err := q.Query(ctx, `SELECT lists, count(*) FROM (
			SELECT array_agg(DISTINCT input_no ORDER BY input_no) AS lists FROM merge_records WHERE run_id = @run AND cluster_no IS NOT NULL GROUP BY cluster_no) g
		GROUP BY lists ORDER BY lists`, pgx.NamedArgs{"run": run.ID})
	if err != nil {
		return err
	}
	var lists []int
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&lists, &n}, func() error {
		for _, a := range lists {
			for _, b := range lists {
				r.Overlap[place[a]][place[b]] += n
			}
		}
		return nil
	})
	return err
}
