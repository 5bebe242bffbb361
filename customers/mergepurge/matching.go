package mergepurge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/customers/match"
)

// matchColumns are what persons are compared by, under the matcher's own names; those of the house file and of the
// records' fields are in fieldNames, in the same order.
var (
	matchColumns = []string{"given_name", "middle_name", "surname", "birth_date", "email", "phone", "identifier", "street", "address2", "city", "region", "postal_code", "company"}
	fieldNames   = []string{"first_name", customers.MiddleName, "last_name", customers.BirthDate, "email", "phone", customers.Identifier, "street", "address2", "city", "region", "postal_code", "company"}
)

// matchRecords fills a spool with all records, in the order of their numbers, and matches them. Close the spool when
// done with the answer.
func (s *Service) matchRecords(ctx context.Context, run *Run) (*match.Spool, *match.Matched, error) {
	total := int64(0)
	for _, in := range run.Inputs {
		total += in.Rows
	}
	if err := s.phase(ctx, run, Matching, 0, 2*total); err != nil {
		return nil, nil, err
	}
	dir, err := s.folder()
	if err != nil {
		return nil, nil, err
	}
	spool, err := match.NewSpool(dir)
	if err != nil {
		return nil, nil, err
	}
	matched, err := s.fillAndMatch(ctx, run, spool, total)
	if err != nil {
		_ = spool.Close()
		return nil, nil, err
	}
	model, err := json.Marshal(matched.Model())
	if err != nil {
		s.log.Warn("the matcher's model was not kept", "run", run.ID, "err", err)
		err = nil
	} else {
		_, err = s.pool.Exec(ctx, `UPDATE merge_runs SET model = @model WHERE run_id = @run`, pgx.NamedArgs{"model": model, "run": run.ID})
	}
	if err != nil {
		_ = spool.Close()
	}
	return spool, matched, err
}

func (s *Service) fillAndMatch(ctx context.Context, run *Run, spool *match.Spool, total int64) (*match.Matched, error) {
	mapping := make(map[string]string, len(matchColumns))
	for _, c := range matchColumns {
		mapping[c] = c
	}
	done := int64(0)
	for i := range run.Inputs {
		in := &run.Inputs[i]
		if in.Rows == 0 {
			continue
		}
		if err := spool.AddFile(matchColumns, mapping); err != nil {
			return nil, err
		}
		err := s.eachPage(ctx, run, in, func(rows [][]string) error {
			for _, cells := range rows {
				var err error
				if cells == nil {
					err = spool.AddUnreadable()
				} else {
					err = spool.AddRow(cells)
				}
				if err != nil {
					return err
				}
			}
			done += int64(len(rows))
			return s.phase(ctx, run, Matching, done, 2*total)
		})
		if err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	last := time.Now()
	return spool.Match(ctx, match.Options{Threshold: run.Threshold, Review: run.Review}, func(done, of int64) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < time.Second || of == 0 { // progress of a phase that is not stored in chunks
			return
		}
		last = time.Now()
		if err := s.phase(ctx, run, Matching, total+int64(float64(total)*float64(done)/float64(of)), 2*total); err != nil && ctx.Err() == nil {
			s.log.Warn("the progress of a merge/purge run was not stored", "run", run.ID, "err", err)
		}
	})
}

// matchPage is how many records are read at a time.
const matchPage = 10_000

// eachPage reads an input's records in the order of their numbers, a page ahead; a record that takes no part in
// matching is nil.
func (s *Service) eachPage(ctx context.Context, run *Run, in *Input, do func(rows [][]string) error) error {
	sql, err := s.recordsSQL(ctx, in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type page struct {
		rows [][]string
		err  error
	}
	pages := make(chan page, 1)
	first, end := run.first(in.No), run.first(in.No)+in.Rows
	go func() {
		defer close(pages)
		for from := first; from < end; from += matchPage {
			rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{"run": run.ID, "from": from, "to": min(from+matchPage, end) - 1})
			var p page
			if err == nil {
				p.rows, err = pgx.CollectRows(rows, scanCells)
			}
			if want := min(matchPage, end-from); err == nil && int64(len(p.rows)) != want {
				err = fmt.Errorf("input %d has %d records from %d on, want %d", in.No, len(p.rows), from, want)
			}
			p.err = err
			select {
			case pages <- p:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pages {
		if p.err != nil {
			return p.err
		}
		if err := do(p.rows); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func scanCells(row pgx.CollectableRow) ([]string, error) {
	var takesPart bool
	cells := make([]string, len(matchColumns))
	into := make([]any, 0, len(cells)+1)
	into = append(into, &takesPart)
	for i := range cells {
		into = append(into, &cells[i])
	}
	if err := row.Scan(into...); err != nil || !takesPart {
		return nil, err
	}
	return cells, nil
}

// recordsSQL reads one page of records as the matcher's cells. Rows of suppression files that name nobody suppress by what
// they hold, not as persons.
func (s *Service) recordsSQL(ctx context.Context, in *Input) (string, error) {
	cells := make([]string, len(fieldNames))
	if in.Kind != House {
		for i, name := range fieldNames {
			cells[i] = `coalesce(m.fields->>'` + name + `', '')`
		}
		part := `m.verdict IS DISTINCT FROM 'rejected'`
		if in.Kind == Suppression {
			part += ` AND m.fields ?| ARRAY['first_name', 'last_name', 'company']`
		}
		return `SELECT coalesce(` + part + `, false), ` + strings.Join(cells, ", ") + ` FROM merge_records m
			WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to ORDER BY m.record_no`, nil
	}
	attributes, err := s.customers.Attributes(ctx)
	if err != nil {
		return "", err
	}
	facts := map[string]string{}
	for _, a := range attributes {
		if fact := customers.MatchFact(a.Name); fact != "" && (a.Type == customers.Text || a.Type == customers.Date) {
			facts[fact] = `coalesce(c.` + pgx.Identifier{a.Column}.Sanitize() + `::text, '')`
		}
	}
	for i, name := range fieldNames {
		switch name {
		case customers.MiddleName, customers.BirthDate, customers.Identifier:
			if cells[i] = facts[name]; cells[i] == "" {
				cells[i] = `''`
			}
		default:
			cells[i] = `coalesce(c.` + name + `, '')`
		}
	}
	return `SELECT c.customer_id IS NOT NULL, ` + strings.Join(cells, ", ") + ` FROM merge_records m LEFT JOIN customers c ON c.customer_id = m.customer_id
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to ORDER BY m.record_no`, nil
}
