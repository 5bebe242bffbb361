package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// ImportReport is what an import or its dry run has found besides its counts.
type ImportReport struct {
	Rejected   []RejectedBecause `json:"rejected,omitempty"`   // by reason, the most frequent first
	Consents   []ConsentChange   `json:"consents,omitempty"`   // of a dry run: consents that would change
	Households int64             `json:"households,omitempty"` // of a dry run: those whose members would be new or changed, as far as they are known now
	Joined     int64             `json:"joined,omitempty"`     // of a dry run: customers who would join the list
}

// RejectedBecause is one reason with how many rows it keeps out, and the first of them.
type RejectedBecause struct {
	Reason  string `json:"reason"` // without the value
	Rows    int64  `json:"rows"`
	Line    int64  `json:"line"`
	Example string `json:"example"` // the first row's reason with its value
}

// ConsentChange counts the customers whose consent for a channel becomes yes or no.
type ConsentChange struct {
	Channel   string `json:"channel"`
	Granted   bool   `json:"granted"`
	Customers int64  `json:"customers"`
}

// maxReasons keeps a report short where every row is wrong in a way of its own.
const maxReasons = 50

// report gathers an import's report; shadow is the session of a dry run, else nil.
func (s *Service) report(ctx context.Context, imp Import, shadow *pgx.Conn, schema string) (*ImportReport, error) {
	var r ImportReport
	rows, err := s.pool.Query(ctx, `
		SELECT why, count(*) AS n, min(line) AS line, (array_agg(reason ORDER BY line))[1]
		FROM (SELECT line, reason, regexp_replace(reason, '"([^"\\]|\\.)*" ?', '', 'g') AS why FROM import_rejects WHERE import_id = @id) t
		GROUP BY why ORDER BY n DESC, line LIMIT @limit`, pgx.NamedArgs{"id": imp.ID, "limit": maxReasons})
	if err != nil {
		return nil, err
	}
	if r.Rejected, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b RejectedBecause, err error) {
		return b, row.Scan(&b.Reason, &b.Rows, &b.Line, &b.Example)
	}); err != nil || shadow == nil || imp.Kind != "customers" {
		return &r, err
	}
	if rows, err = shadow.Query(ctx, `SELECT channel, granted, count(DISTINCT customer_id) FROM consent_events GROUP BY channel, granted ORDER BY channel, granted`); err != nil {
		return nil, err
	}
	if r.Consents, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c ConsentChange, err error) {
		return c, row.Scan(&c.Channel, &c.Granted, &c.Customers)
	}); err != nil {
		return nil, err
	}
	real := pgx.Identifier{schema}.Sanitize()
	if err = shadow.QueryRow(ctx, `
		SELECT count(DISTINCT household_id) FROM (
			SELECT t.household_id FROM customers t LEFT JOIN `+real+`.customers r USING (customer_id)
			WHERE r.customer_id IS NULL OR t.updated_at <> r.updated_at OR t.household_id IS DISTINCT FROM r.household_id
			UNION ALL SELECT r.household_id FROM customers t JOIN `+real+`.customers r USING (customer_id) WHERE t.household_id IS DISTINCT FROM r.household_id
		) h`).Scan(&r.Households); err != nil {
		return nil, err
	}
	err = shadow.QueryRow(ctx, `SELECT (SELECT count(*) FROM list_members)
		- (SELECT count(*) FROM list_members JOIN `+real+`.list_members r USING (customer_id, list_id))`).Scan(&r.Joined)
	return &r, err
}

func (s *Service) keepReport(ctx context.Context, importID int64, r *ImportReport) error {
	_, err := s.pool.Exec(ctx, `UPDATE imports SET report = @report WHERE import_id = @id`, pgx.NamedArgs{"id": importID, "report": r})
	return err
}
