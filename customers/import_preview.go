package customers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

// Verdicts on a row.
const (
	VerdictCreated   = "created"
	VerdictUpdated   = "updated"
	VerdictUnchanged = "unchanged"
	VerdictDuplicate = "duplicate" // of a row further up
	VerdictRejected  = "rejected"
)

// ImportPreview is the first rows of a file and what an import would make of them.
type ImportPreview struct {
	Header  []string          `json:"header"`
	Mapping map[string]string `json:"mapping"` // column -> field
	About   string            `json:"about"`   // encoding and delimiter
	Rows    []PreviewRow      `json:"rows"`
}

// PreviewRow is one row with its verdict.
type PreviewRow struct {
	Line       int64             `json:"line"`
	Cells      []string          `json:"cells,omitempty"`
	Values     map[string]string `json:"values,omitempty"` // by field, in normal form
	Verdict    string            `json:"verdict"`
	CustomerID int64             `json:"customer_id,omitempty"` // updated or unchanged
	OfLine     int64             `json:"of_line,omitempty"`     // duplicate: the row that was there first
	Reason     string            `json:"reason,omitempty"`      // rejected
}

// PreviewImport tells what would become of the first n rows (at most 100) of the file at path, as a dry run of
// them. Of in, kind, list and mapping count. Invalid as StartImport.
func (s *Service) PreviewImport(ctx context.Context, path string, in StartImport, n int) (ImportPreview, error) {
	if in.Kind != "customers" && in.Kind != "orders" {
		return ImportPreview{}, fault.BadField("kind", "only customers and orders are previewed")
	}
	file, err := openFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return ImportPreview{}, fault.New(fault.NotFound, "The file is not here any more: send it again")
	} else if err != nil {
		return ImportPreview{}, err
	}
	defer file.Close()
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return ImportPreview{}, err
	}
	out := ImportPreview{Header: file.Header, About: string(file.Encoding) + ", columns parted by " + file.CommaName()}
	if out.Mapping, err = chooseMapping(in.Kind, file.Header, attributes, in.Mapping); err != nil {
		return out, err
	}
	imp := Import{Kind: in.Kind, Mapping: out.Mapping, DryRun: true}
	if in.List != "" {
		err := s.pool.QueryRow(ctx, `SELECT list_id FROM lists WHERE name = @name`, pgx.NamedArgs{"name": strings.TrimSpace(in.List)}).Scan(&imp.ListID)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return out, err
		}
	}
	l, err := s.newLoader(ctx, imp, file.Header)
	if err != nil {
		return out, err
	}
	items, err := readItems(file, max(1, min(n, 100)))
	if err != nil {
		return out, err
	}
	parseAll(l, items)
	if err := s.tryOut(ctx, in.Kind, l, items); err != nil {
		return out, err
	}
	for i := range items {
		out.Rows = append(out.Rows, preview(l, &items[i]))
	}
	return out, nil
}

// readItems gives the first rows of a file.
func readItems(file *csvfile.File, n int) ([]item, error) {
	var items []item
	for len(items) < n {
		row, err := file.Next()
		var bad *csvfile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return items, nil
		case errors.As(err, &bad):
			items = append(items, item{line: bad.Line, text: bad.Text, reject: bad.Reason})
		case err != nil:
			return nil, fmt.Errorf("read the uploaded file: %w", err)
		default:
			items = append(items, item{line: row.Line, text: row.Text, fields: row.Fields})
		}
	}
	return items, nil
}

// tryOut stores rows in shadow tables, which go with their session.
func (s *Service) tryOut(ctx context.Context, kind string, l loader, items []item) error {
	shadow, schema, err := s.openShadow(ctx, kind)
	if err != nil {
		return err
	}
	defer shadow.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is to stay
	return pgx.BeginFunc(ctx, shadow, func(tx pgx.Tx) error {
		if shadower, ok := l.(shadower); ok {
			if err := shadower.shadowTx(ctx, tx, schema, items); err != nil {
				return err
			}
		}
		_, err := l.storeTx(ctx, tx, items)
		return err
	})
}

func preview(l loader, it *item) PreviewRow {
	row := PreviewRow{Line: it.line, Cells: it.fields, Verdict: it.verdict, OfLine: it.ofLine, Values: map[string]string{}}
	if it.reject != "" {
		row.Verdict, row.Reason, row.OfLine = VerdictRejected, it.reject, 0
		if it.text == "" {
			row.Cells = nil // of a person who asked to be erased, nothing is shown
		}
		return row
	}
	if it.who != nil {
		switch p := it.who; {
		case row.Verdict == VerdictDuplicate:
		case p.isNew:
			row.Verdict = VerdictCreated
		case p.changed || p.touched:
			row.Verdict, row.CustomerID = VerdictUpdated, p.ID
		default:
			row.Verdict, row.CustomerID = VerdictUnchanged, p.ID
		}
	}
	if c, ok := l.(*customerLoader); ok && it.customer != nil {
		c.values(it.customer, row.Values)
	} else if o := it.order; o != nil {
		for field, v := range map[string]string{"order_id": o.Ref, "customer_external_id": o.CustomerExternalID, "ordered_at": o.OrderedAt.Format("2006-01-02 15:04:05"),
			"quantity": fmt.Sprint(o.line.Quantity), "amount": o.line.Amount.String(), "currency": o.Currency, "sku": o.line.SKU, "place": o.Place,
			"reason": o.Reason, "keycode": o.Keycode} {
			if v != "" {
				row.Values[field] = v
			}
		}
	}
	return row
}

// values gives what a row says in normal form, by field.
func (l *customerLoader) values(in *incoming, to map[string]string) {
	for i, p := range in.refs() {
		if *p != "" {
			to[coreNames[i]] = *p
		}
	}
	for i, t := range l.typed {
		switch v := in.values[i].(type) {
		case nil:
		case []string:
			to[t.attribute.Name] = strings.Join(v, ", ")
		default:
			to[t.attribute.Name] = fmt.Sprint(v)
		}
	}
	for i, w := range in.consents {
		if w != unsaid {
			to[consentPrefix+Channels[i]] = map[bool]string{true: "yes", false: "no"}[w == saidYes]
		}
	}
}

// Fields gives the fields that a preview's rows have values of, in order.
func (p ImportPreview) Fields() []string {
	seen := map[string]bool{}
	for _, r := range p.Rows {
		for field := range r.Values {
			seen[field] = true
		}
	}
	fields := make([]string, 0, len(seen))
	for _, n := range coreNames {
		if seen[n] {
			fields = append(fields, n)
			delete(seen, n)
		}
	}
	core := len(fields)
	for field := range seen {
		fields = append(fields, field)
	}
	sort.Strings(fields[core:])
	return fields
}
