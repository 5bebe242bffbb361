package segments

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/csvsafe"
	"aldine/internal/fault"
)

// exportSlice is how many members are read between two looks at the reader: little memory, and no transaction that stays
// open as long as a slow download.
const exportSlice = 10_000

// WriteCSV writes the members of a segment as CSV that is safe to open in a spreadsheet, with all facts and attributes that the
// actor may see, ordered by customer_id. Who is a member is found out once, before the first row; rows come in slices, so a
// member who changes meanwhile is written as he or she stands then, and one who was erased is left out. The file is noted in
// the audit log before the first row. It fails with Invalid for an expression that is no longer valid or that the actor
// may not ask, before anything is written.
func (s *Service) WriteCSV(ctx context.Context, of Segment, w io.Writer) error {
	catalog, err := CatalogFor(ctx, s.pool)
	if err != nil {
		return err
	}
	if of.Hidden {
		return fault.New(fault.Forbidden, "The segment asks for private attributes, which your role may not see")
	}
	compiled, err := catalog.Compile(of.Expression, s.now())
	if err != nil {
		return err
	}
	var ids []int64
	if err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		ids, err = compiled.MembersTx(ctx, tx, everybody)
		return err
	}); err != nil {
		return err
	}
	if err := s.noteExport(ctx, of); err != nil {
		return err
	}
	out := csvsafe.NewWriter(w)
	head, columns := []string{"customer_id"}, []string{"c.customer_id::text"}
	for _, f := range append(append([]field(nil), coreFields...), catalog.fields...) {
		if f.private && catalog.reader {
			continue
		}
		head, columns = append(head, f.name), append(columns, "coalesce("+asCell(f)+", '')")
	}
	if err := out.Write(head...); err != nil {
		return err
	}
	list := strings.Join(columns, ", ")
	for part := range slices.Chunk(ids, exportSlice) {
		rows, err := s.pool.Query(ctx, `SELECT `+list+` FROM customers c WHERE c.customer_id = ANY($1) ORDER BY c.customer_id`, part)
		if err != nil {
			return err
		}
		if err := copyRows(rows, out, len(columns)); err != nil {
			return fmt.Errorf("members of segment %d: %w", of.ID, err)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Flush()
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
