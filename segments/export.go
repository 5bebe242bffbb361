package segments

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/csvsafe"
)

// exportSlice is how many customers are looked at between two looks at the reader: little memory, and no transaction that
// stays open as long as a slow download.
const exportSlice = 20_000

// WriteCSV writes the members of a segment as CSV that is safe to open in a spreadsheet, with all facts and attributes,
// ordered by customer_id. Rows come in slices while the segment is read, so a member who changes meanwhile is written as he or
// she stands then. The file is noted in the audit log before the first row. It fails with Invalid for an expression that is no
// longer valid, before anything is written.
func (s *Service) WriteCSV(ctx context.Context, of Segment, w io.Writer) error {
	catalog, err := LoadCatalog(ctx, s.pool)
	if err != nil {
		return err
	}
	compiled, err := catalog.Compile(of.Expression, s.now())
	if err != nil {
		return err
	}
	if err := s.noteExport(ctx, of); err != nil {
		return err
	}
	out := csvsafe.NewWriter(w)
	head, columns := []string{"customer_id"}, []string{"c.customer_id::text"}
	for _, f := range append(append([]field(nil), coreFields...), catalog.fields...) {
		head, columns = append(head, f.name), append(columns, "coalesce("+asCell(f)+", '')")
	}
	if err := out.Write(head...); err != nil {
		return err
	}
	list := strings.Join(columns, ", ")
	for after := int64(-1 << 62); ; {
		var last *int64
		if err := s.pool.QueryRow(ctx, `
			SELECT max(customer_id) FROM (SELECT customer_id FROM customers WHERE customer_id > $1 ORDER BY customer_id LIMIT $2) slice`,
			after, exportSlice).Scan(&last); err != nil {
			return err
		}
		if last == nil {
			return out.Flush()
		}
		where, args := compiled.WhereSlice("c", "p", after+1, *last)
		rows, err := s.pool.Query(ctx, `SELECT `+list+` FROM customers c WHERE `+where+` ORDER BY c.customer_id`, args)
		if err != nil {
			return err
		}
		if err := copyRows(rows, out, len(columns)); err != nil {
			return fmt.Errorf("members of segment %d: %w", of.ID, err)
		}
		if err := out.Flush(); err != nil {
			return err
		}
		after = *last
	}
}

func (s *Service) noteExport(ctx context.Context, of Segment) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return audit.RecordTx(ctx, tx, s.now(), "segment.export", "segment", of.ID,
			map[string]any{"name": of.Name, "version": of.Version, "by": access.From(ctx).String()})
	})
}

func copyRows(rows pgx.Rows, out *csvsafe.Writer, n int) error {
	cells, targets := make([]string, n), make([]any, n)
	for i := range cells {
		targets[i] = &cells[i]
	}
	_, err := pgx.ForEachRow(rows, targets, func() error { return out.Write(cells...) })
	return err
}

// asCell gives SQL for a fact as text: times in UTC, dates as they are, the items of a list apart by semicolons.
func asCell(f field) string {
	column := f.expression("c", false)
	switch {
	case f.kind == texts:
		return "array_to_string(" + column + ", '; ')"
	case f.kind == instant && f.cast != asTime:
		return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	}
	return column + "::text"
}
