package calls

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
)

// Held is how many calls of a list wait for one do-not-call register, because its file is too old or there is none.
type Held struct {
	RegisterID int64
	Register   string // its name and file, in words
	Calls      int64
}

// Held tells which registers hold calls of a list back, and how many.
func (s *Service) Held(ctx context.Context, listID int64) ([]Held, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT reg.reason_ref, count(*) FROM calls k JOIN customers c ON c.customer_id = k.customer_id
		JOIN `+customers.RegisterJoin("c", "calls")+` reg ON reg.reason = 'register_stale'
		WHERE k.call_list_id = @list AND k.state IN ('ready', 'waiting', 'leased') AND EXISTS (SELECT 1 FROM registers)
		GROUP BY reg.reason_ref ORDER BY count(*) DESC, reg.reason_ref`, pgx.NamedArgs{"list": listID, "now": s.d.Now()})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h Held, err error) {
		var ref string
		if err := row.Scan(&ref, &h.Calls); err != nil {
			return h, err
		}
		h.RegisterID, h.Register, _ = customers.RegisterOf(ref)
		return h, nil
	})
}
