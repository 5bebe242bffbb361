package insights

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// MaxOverlap is how many expressions are compared at most.
const MaxOverlap = 4

// Overlap is how many customers are in exactly these of several expressions.
type Overlap struct {
	In      []bool `json:"in"` // per expression
	Members int64  `json:"members"`
}

// Overlap counts who is in which of two to four expressions, the most frequent first; whoever is in none is not counted. It
// fails with Invalid and Unavailable like segments.Count.
func (s *Service) Overlap(ctx context.Context, expressions []string) ([]Overlap, error) {
	if len(expressions) < 2 || len(expressions) > MaxOverlap {
		return nil, fault.BadField("with", "compare a segment with one to %d others", MaxOverlap-1)
	}
	now := s.now()
	all := pgx.NamedArgs{}
	bits := make([]string, len(expressions))
	for i, expression := range expressions {
		compiled, err := s.segments.Compile(ctx, expression, now)
		if err != nil {
			return nil, err
		}
		where, args := compiled.Where("c", fmt.Sprintf("p%d_", i))
		for name, v := range args {
			all[name] = v
		}
		bits[i] = fmt.Sprintf("CASE WHEN %s THEN %d ELSE 0 END", where, 1<<i)
	}
	var out []Overlap
	err := s.reading(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT bits, count(*) FROM (SELECT `+strings.Join(bits, " + ")+` AS bits FROM customers c OFFSET 0) each
			WHERE bits > 0 GROUP BY bits ORDER BY 2 DESC, 1`, all)
		if err != nil {
			return err
		}
		var mask int
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&mask, &n}, func() error {
			o := Overlap{Members: n, In: make([]bool, len(expressions))}
			for i := range o.In {
				o.In[i] = mask&(1<<i) != 0
			}
			out = append(out, o)
			return nil
		})
		return err
	})
	return out, err
}
