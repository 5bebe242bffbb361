package mergepurge

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/csvsafe"
	"aldine/internal/fault"
)

// shownFields are the fields that are shown of a record, and written of a net name.
var shownFields = []string{"external_id", "title", "first_name", "last_name", "suffix", "company", "email", "phone", "street", "address2", "city", "region",
	"postal_code", "country", "language"}

// fieldsSQL gives a record's fields as JSON, of records as m and customers as c: of a customer what is known now.
func fieldsSQL(m, c string) string {
	pairs := make([]string, len(shownFields))
	for i, f := range shownFields {
		pairs[i] = `'` + f + `', ` + c + `.` + f
	}
	return fmt.Sprintf(`CASE WHEN %[2]s.customer_id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(%[3]s)) ELSE coalesce(%[1]s.fields, '{}') END`,
		m, c, strings.Join(pairs, ", "))
}

// Records gives records in the order of their numbers, at most limit after the number given. NotFound where there is no
// such run, Forbidden where they tell of what the actor may not see.
func (s *Service) Records(ctx context.Context, runID int64, f Filter, after int64, limit int) ([]Record, error) {
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return nil, err
	}
	if err := s.mayList(ctx, run); err != nil {
		return nil, err
	}
	from, to := after+1, run.first(1<<30)
	if f.Input != 0 {
		in, err := run.input(f.Input)
		if err != nil {
			return nil, err
		}
		from, to = max(from, run.first(in.No)), run.first(in.No)+in.Rows
	}
	rows, err := s.pool.Query(ctx, `
		SELECT m.record_no, m.input_no, coalesce(m.line, 0), coalesce(m.customer_id, 0), coalesce(m.verdict, ''), coalesce(m.reason, ''), m.lists,
			`+fieldsSQL("m", "c")+`, coalesce(m.winner_no, 0), coalesce(w.input_no, 0), coalesce(w.line, 0), coalesce(w.customer_id, 0), `+fieldsSQL("w", "x")+`
		FROM (SELECT * FROM merge_records WHERE run_id = @run AND record_no >= @from AND record_no < @to
				AND (@verdict = '' OR verdict = @verdict) AND (@reason = '' OR reason = @reason)
			ORDER BY record_no LIMIT @limit) m
		LEFT JOIN customers c ON c.customer_id = m.customer_id
		LEFT JOIN merge_records w ON w.run_id = @run AND w.record_no = m.winner_no
		LEFT JOIN customers x ON x.customer_id = w.customer_id
		ORDER BY m.record_no`, pgx.NamedArgs{"run": runID, "from": from, "to": to, "verdict": f.Verdict, "reason": f.Reason, "limit": max(1, min(limit, 10_000))})
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, in := range run.Inputs {
		names[in.No] = in.Name
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Record, err error) {
		var w Winner
		var fields map[string]string
		if err := row.Scan(&r.No, &r.Input, &r.Line, &r.CustomerID, &r.Verdict, &r.Reason, &r.Lists, &r.Fields, &w.No, &w.Input, &w.Line, &w.CustomerID,
			&fields); err != nil {
			return r, err
		}
		for name := range r.Fields {
			if strings.HasSuffix(name, "_key") || strings.HasPrefix(name, byPrefix) {
				delete(r.Fields, name)
			}
		}
		r.InputName, r.Name = names[r.Input], display(r.Fields)
		if w.No != 0 && w.No != r.No {
			w.InputName, w.Name = names[w.Input], display(fields)
			r.Winner = &w
		}
		return r, nil
	})
}

// display gives the name to show of a record.
func display(fields map[string]string) string {
	if name := strings.TrimSpace(fields["first_name"] + " " + fields["last_name"]); name != "" {
		return name
	}
	for _, f := range []string{"company", "email", "phone", "external_id", "street"} {
		if fields[f] != "" {
			return fields[f]
		}
	}
	return ""
}

// finished fails unless a run has its report.
func (r *Run) finished() error {
	switch r.State {
	case Finished, Applying, Applied:
		return nil
	}
	return fault.New(fault.Conflict, "Run %d is %s: it has no report yet", r.ID, r.State)
}

// WriteNet writes the net names as CSV, safe to open in a spreadsheet. Conflict where the run has no report.
func (s *Service) WriteNet(ctx context.Context, runID int64, w io.Writer) error {
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return err
	}
	if err := run.finished(); err != nil {
		return err
	}
	if run.EmptiedAt != nil && run.State != Applied { // those of one that was applied are customers
		return emptied(&run)
	}
	out := csvsafe.NewWriter(w)
	cells := append([]string{"record", "list", "line", "customer_id", "lists"}, shownFields...)
	if err := out.Write(cells...); err != nil {
		return err
	}
	for after := int64(0); ; {
		page, err := s.Records(ctx, runID, Filter{Verdict: Net}, after, 5000)
		if err != nil {
			return err
		}
		for _, r := range page {
			after = r.No
			if len(r.Fields) == 0 { // a customer who is not there any more
				continue
			}
			cells = append(cells[:0], strconv.FormatInt(r.No, 10), r.InputName, number(r.Line), number(r.CustomerID), strconv.Itoa(r.Lists))
			for _, f := range shownFields {
				cells = append(cells, r.Fields[f])
			}
			if err := out.Write(cells...); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil || len(page) == 0 {
			return err
		}
	}
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
