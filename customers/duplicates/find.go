package duplicates

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers/match"
	"aldine/internal/fault"
	"aldine/internal/pg"
)

// search goes through the house file: load, match, write the pairs, group the people.
func (s *Service) search(ctx context.Context, search Search) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &progress{s: s, id: search.ID, cancel: cancel}
	defer func() { // a cancelled context is what ended the work, but not why
		if err != nil && errors.Is(context.Cause(ctx), errStopped) {
			err = errStopped
		}
	}()
	dir, err := s.folder()
	if err != nil {
		return err
	}
	spool, err := match.NewSpool(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	ids, err := s.fill(ctx, spool, p)
	if err != nil {
		return err
	}
	var told error
	matched, err := spool.Match(ctx, match.Options{Threshold: search.Threshold, Review: search.Review}, func(done, total int64) {
		if told == nil {
			told = p.report(ctx, "matching", done, total)
		}
	})
	if err = errors.Join(told, err); err != nil {
		return err
	}
	if err := s.write(ctx, search, matched, ids, p); err != nil {
		return err
	}
	return s.group(ctx, search, matched, ids, p)
}

// folder is where spools lie; it is emptied first, since a killed process may have left one. One search runs at a time.
func (s *Service) folder() (string, error) {
	dir, err := filepath.Abs(filepath.Join(s.DataDir, "duplicates"))
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The folder for the search cannot be made")
	}
	return dir, nil
}

// compared are the columns of customers that a search looks at, with the names that the matcher knows them by.
var compared = []struct{ column, field string }{
	{"first_name", "given_name"}, {"last_name", "surname"}, {"company", "company"}, {"email", "email"}, {"phone", "phone"}, {"street", "street"},
	{"address2", "address2"}, {"city", "city"}, {"region", "region"}, {"postal_code", "postal_code"},
}

// birthNames are names of date attributes that hold the day of birth.
var birthNames = []string{"birth_date", "date_of_birth", "dob", "birthday", "geburtsdatum"}

const loadRows = 10_000

// fill streams the house file into the spool and gives the customer of each row.
func (s *Service) fill(ctx context.Context, spool *match.Spool, p *progress) ([]int64, error) {
	header, mapping, read := []string{}, map[string]string{}, []string{}
	for _, c := range compared {
		header, mapping[c.field] = append(header, c.column), c.column
		read = append(read, "coalesce(c."+c.column+", '')")
	}
	var birth string
	err := s.Pool.QueryRow(ctx, `SELECT column_name FROM attributes WHERE name = ANY(@names) AND type = 'date' ORDER BY array_position(@names::text[], name) LIMIT 1`,
		pgx.NamedArgs{"names": birthNames}).Scan(&birth)
	switch {
	case err == nil:
		header, mapping["birth_date"] = append(header, "birth_date"), "birth_date"
		read = append(read, "coalesce(c."+quoted(birth)+"::text, '')")
	case !errors.Is(err, pgx.ErrNoRows):
		return nil, err
	}
	if err := spool.AddFile(header, mapping); err != nil {
		return nil, err
	}
	var total int64
	if err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM customers WHERE NOT rented`).Scan(&total); err != nil {
		return nil, err
	}
	ids := make([]int64, 0, total)
	cells := make([]string, len(header))
	var id int64
	into := []any{&id}
	for i := range cells {
		into = append(into, &cells[i])
	}
	sql := `SELECT c.customer_id, ` + strings.Join(read, ", ") + ` FROM customers c WHERE c.customer_id > @after AND NOT c.rented ORDER BY c.customer_id LIMIT @limit`
	for {
		if err := p.report(ctx, "loading", int64(len(ids)), total); err != nil {
			return nil, err
		}
		rows, err := s.Pool.Query(ctx, sql, pgx.NamedArgs{"after": id, "limit": loadRows})
		if err != nil {
			return nil, err
		}
		tag, err := pgx.ForEachRow(rows, into, func() error {
			ids = append(ids, id)
			return spool.AddRow(append([]string(nil), cells...)) // it may keep the row for a while
		})
		if err != nil {
			return nil, fmt.Errorf("load customers: %w", err)
		}
		if tag.RowsAffected() < loadRows {
			return ids, nil
		}
	}
}

// found is a pair on its way into the table.
type found struct {
	pair     match.Pair
	evidence []Evidence
}

const (
	writePairs    = 2_000
	mostExplained = 1_000_000 // pairs with evidence: a kilobyte each
)

// write stores the pairs chunk by chunk and takes away open ones that were not found any more.
func (s *Service) write(ctx context.Context, search Search, m *match.Matched, ids []int64, p *progress) error {
	total, err := s.countPairs(m, search.Review)
	if err != nil {
		return err
	}
	chunk := make([]found, 0, writePairs)
	done, explained, review := int64(0), int64(0), int64(0)
	flush := func() error {
		if err := s.writeChunk(ctx, search, chunk, ids); err != nil {
			return err
		}
		done += int64(len(chunk))
		chunk = chunk[:0]
		return p.report(ctx, "writing", done, total)
	}
	if err := m.Pairs(search.Review, func(pair match.Pair) error {
		f := found{pair: pair}
		if explained < mostExplained {
			e, err := m.Explain(pair.A, pair.B)
			if err != nil {
				return err
			}
			f.evidence = evidence(e)
			explained++
		}
		if pair.Score < search.Threshold {
			review++
		}
		if chunk = append(chunk, f); len(chunk) < writePairs {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	model, err := m.Model().MarshalJSON()
	if err != nil {
		return err
	}
	if _, err := s.Pool.Exec(ctx, `DELETE FROM duplicates WHERE state = 'open' AND run_id <> @run`, pgx.NamedArgs{"run": search.ID}); err != nil {
		return err
	}
	if _, err := s.Pool.Exec(ctx, `UPDATE duplicate_searches SET model = @model, pairs = @pairs, for_review = @review WHERE run_id = @run`,
		pgx.NamedArgs{"run": search.ID, "model": model, "pairs": done, "review": review}); err != nil {
		return err
	}
	if done < 10_000 {
		return nil
	}
	return pg.Analyze(ctx, s.Pool, "duplicates")
}

func (s *Service) countPairs(m *match.Matched, low float64) (n int64, err error) {
	return n, m.Pairs(low, func(match.Pair) error { n++; return nil })
}

func evidence(e match.Explanation) []Evidence {
	out := make([]Evidence, 0, len(e.Evidence))
	for _, v := range e.Evidence {
		out = append(out, Evidence{Field: v.Field, A: v.WrittenA, B: v.WrittenB, StandardA: v.A, StandardB: v.B, Level: v.Level.String(), Weight: v.Weight})
	}
	return out
}

// writeChunk stores pairs of customers who are still there. What a person has decided stays decided.
func (s *Service) writeChunk(ctx context.Context, search Search, chunk []found, ids []int64) error {
	n := len(chunk)
	a, b, scores, evidence := make([]int64, n), make([]int64, n), make([]float64, n), make([][]Evidence, n)
	for i, f := range chunk {
		a[i], b[i], scores[i], evidence[i] = ids[f.pair.A], ids[f.pair.B], f.pair.Score, f.evidence
		if evidence[i] == nil {
			evidence[i] = []Evidence{}
		}
	}
	_, err := s.Pool.Exec(ctx, `
		INSERT INTO duplicates AS d (customer_id, other_id, score, evidence, conflict, state, run_id, found_at)
		SELECT p.customer_id, p.other_id, p.score, p.evidence, `+conflictSQL+`, 'open', @run, @now
		FROM unnest(@a::bigint[], @b::bigint[], @scores::float8[], @evidence::jsonb[]) AS p (customer_id, other_id, score, evidence)
		JOIN customers a ON a.customer_id = p.customer_id JOIN customers b ON b.customer_id = p.other_id
		ORDER BY p.customer_id, p.other_id
		ON CONFLICT (customer_id, other_id) DO UPDATE SET score = excluded.score, evidence = excluded.evidence, conflict = excluded.conflict,
			run_id = excluded.run_id, found_at = CASE WHEN d.state = 'open' THEN d.found_at ELSE excluded.found_at END
		WHERE d.state <> 'merged'`,
		pgx.NamedArgs{"run": search.ID, "now": s.Now(), "a": a, "b": b, "scores": scores, "evidence": evidence})
	return err
}
