package customers

import (
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/csvsafe"
)

// Reject is a row that an import left out.
type Reject struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
	Row    string `json:"row"` // as it stands in the file, at most 4,000 bytes
}

// Rejects gives an import's rejected rows by line, at most limit after the line given; to those who may not change customers without
// what stands in them.
func (s *Service) Rejects(ctx context.Context, importID, after int64, limit int) ([]Reject, error) {
	hidden, err := Hidden(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	values := access.From(ctx).Role.May(access.CustomersWrite)
	rows, err := s.pool.Query(ctx, `
		SELECT line, reason, row_text FROM import_rejects WHERE import_id = @id AND line > @after ORDER BY line LIMIT @limit`,
		pgx.NamedArgs{"id": importID, "after": after, "limit": max(1, min(limit, 10_000))})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Reject, err error) {
		if err = row.Scan(&r.Line, &r.Reason, &r.Row); !values {
			r.Reason, r.Row = quotedValue.ReplaceAllString(r.Reason, ""), ""
			if hidden.In(r.Reason) {
				r.Reason = tellsPrivate
			}
		}
		return r, err
	})
}

// quotedValue is what a reason quotes of a row.
var quotedValue = regexp.MustCompile(`"([^"\\]|\\.)*" ?`)

// WriteRejects writes all rejected rows of an import as CSV (line, reason, row), safe to open in a spreadsheet.
// NotFound where there is no such import.
func (s *Service) WriteRejects(ctx context.Context, importID int64, to io.Writer) error {
	if _, err := s.Import(ctx, importID); err != nil {
		return err
	}
	w := csvsafe.NewWriter(to)
	if err := w.Write("line", "reason", "row"); err != nil {
		return err
	}
	for after := int64(0); ; {
		page, err := s.Rejects(ctx, importID, after, 5000)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := w.Write(strconv.FormatInt(r.Line, 10), r.Reason, r.Row); err != nil {
				return err
			}
			after = r.Line
		}
		if err := w.Flush(); err != nil || len(page) == 0 {
			return err
		}
	}
}

// storable keeps the text of a rejected row short and free of what PostgreSQL does not store.
func storable(s string) string {
	if len(s) > 4000 {
		s = s[:4000]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
