package segments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/csvsafe"
	"aldine/internal/fault"
)

// exportSlice is how many members are read between two looks at the reader: little memory, and no connection that stays
// taken as long as a slow download.
const exportSlice = 10_000

// exportTimeout is how long finding the members may take, as a multiple of what a count may: nobody waits for a file as for a figure.
const exportTimeout = 4

// WriteCSV is Export and the writing of what it found.
func (s *Service) WriteCSV(ctx context.Context, of Segment, w io.Writer) error {
	write, err := s.Export(ctx, of)
	if err != nil {
		return err
	}
	return write(w)
}

// Export finds the members of a segment, and gives what writes them as CSV that is safe to open in a spreadsheet, with all facts and
// attributes that the actor may see, ordered by customer_id. Who is a member is found out once; rows come in slices, so a
// member who changes meanwhile is written as he or she stands then, and one who was erased is left out. The file is noted in
// the audit log before the first row. Finding and reading take their turn among all who look at all customers (Room), a slow
// reader none. It fails with Invalid for an expression that is no longer valid or that the actor may not ask, Forbidden for a segment
// that is hidden from the actor, and Unavailable where there is no turn, or the members are not found within two minutes; writing
// fails where ctx ends, which ends the query in the database.
func (s *Service) Export(ctx context.Context, of Segment) (write func(io.Writer) error, err error) {
	catalog, err := CatalogFor(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	if of.Hidden {
		return nil, fault.New(fault.Forbidden, "The segment asks for private attributes, which your role may not see")
	}
	compiled, err := catalog.Compile(of.Expression, s.now())
	if err != nil {
		return nil, err
	}
	ids, err := s.members(ctx, compiled)
	if err != nil {
		return nil, err
	}
	head, columns := []string{"customer_id"}, []string{"c.customer_id::text"}
	cells := &writer{args: pgx.NamedArgs{}, prefix: "p"}
	for _, f := range slices.Concat(catalog.core(), catalog.fields) {
		if f.private && catalog.reader || f.score != nil && f.score.limits == nil {
			continue
		}
		head, columns = append(head, f.name), append(columns, "coalesce("+asCell(cells, f)+", '')")
	}
	sql := `SELECT ` + strings.Join(columns, ", ") + ` FROM customers c WHERE c.customer_id = ANY(@ids) ORDER BY c.customer_id`
	args := cells.args
	return func(w io.Writer) error {
		if err := s.noteExport(ctx, of); err != nil {
			return err
		}
		var kept bytes.Buffer
		out := csvsafe.NewWriter(&kept)
		if err := out.Write(head...); err != nil {
			return err
		}
		if len(ids) == 0 {
			return passOn(out, &kept, w)
		}
		for part := range slices.Chunk(ids, exportSlice) {
			args["ids"] = part
			if err := s.exportPart(ctx, sql, args, out, len(columns)); err != nil {
				return fmt.Errorf("members of segment %d: %w", of.ID, err)
			}
			if err := passOn(out, &kept, w); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// members finds who is in an audience, in its turn.
func (s *Service) members(ctx context.Context, compiled *Compiled) (ids []int64, err error) {
	leave, err := s.Room(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	limit := exportTimeout * s.timeout
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true)`, strconv.FormatInt(limit.Milliseconds(), 10)); err != nil {
			return err
		}
		ids, err = compiled.MembersTx(ctx, tx, everybody)
		return err
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return nil, fault.Wrap(fault.Unavailable, err, "Finding the members took longer than %d seconds: narrow the expression", int(limit.Seconds()))
	}
	return ids, err
}

// exportPart reads some members. It waits for its turn as long as the reader does: the file has begun.
func (s *Service) exportPart(ctx context.Context, sql string, args pgx.NamedArgs, out *csvsafe.Writer, columns int) error {
	leave, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.reading(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, args)
		if err != nil {
			return err
		}
		return copyRows(rows, out, columns)
	})
}

// passOn writes what was read, when no connection is held for it any more.
func passOn(out *csvsafe.Writer, kept *bytes.Buffer, w io.Writer) error {
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := kept.WriteTo(w)
	return err
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
func asCell(w *writer, f field) string {
	column := f.sql(w, "c", false)
	switch {
	case f.kind == texts:
		return "array_to_string(" + column + ", '; ')"
	case f.kind == instant && f.cast != asTime:
		return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	}
	return column + "::text"
}
