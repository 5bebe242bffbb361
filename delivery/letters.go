package delivery

import (
	"context"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/delivery/post"
)

// letters reads the claimed letters in the order of the post: by country, postal code and customer.
func (s *Service) letters(ctx context.Context, r *renderer, runID int64, columns []string) iter.Seq2[post.Letter, error] {
	return func(yield func(post.Letter, error) bool) {
		ids, err := s.sorted(ctx, r.batch, runID)
		if err != nil {
			yield(post.Letter{}, err)
			return
		}
		cells, err := s.cellNames(ctx, r.batch.CampaignID)
		if err != nil {
			yield(post.Letter{}, err)
			return
		}
		for part := range slices.Chunk(ids, printChunk) {
			touches, err := s.claimed(ctx, r.batch, part, printClaim(runID))
			if err != nil {
				yield(post.Letter{}, err)
				return
			}
			profiles, err := customers.Profiles(ctx, s.pool, part)
			if err != nil {
				yield(post.Letter{}, err)
				return
			}
			for _, customer := range part {
				t, ok := touches[customer]
				if !ok {
					continue
				}
				l := post.Letter{CustomerID: customer, Omit: "the customer was deleted"}
				if p, ok := profiles[customer]; ok {
					if l, err = r.letter(t, p, columns); err != nil {
						l = post.Letter{CustomerID: customer, Omit: "the letter could not be written: " + err.Error()}
					}
				}
				l.Cell = cells[t.CellID]
				if !yield(l, nil) {
					return
				}
			}
		}
	}
}

// urlPattern finds an address whose host is written out; behind it tags may stand, filled in when somebody comes.
var urlPattern = regexp.MustCompile(`https?://[^\s<>"'{}|\\^/?#@]+(?:[/?#](?:[^\s<>"'{}|\\^]|\{\{[^{}]*\}\})*)?`)

// personalURL is the first address in a letter's template. It is printed as it stands, since a token is nothing to type
// in; the QR code beside it leads there by way of the customer's own link.
func personalURL(body string) string {
	return strings.TrimRight(urlPattern.FindString(body), ".,;:!?)]")
}

func (r *renderer) letter(t touch, p customers.Profile, columns []string) (post.Letter, error) {
	out, err := r.render(&t, &p)
	if err != nil {
		return post.Letter{}, err
	}
	l := post.Letter{
		CustomerID: t.CustomerID, Keycode: t.Keycode, Text: out.Text,
		Address: addressLines(p, r.settings.DefaultCountry), Fields: make([]string, len(columns)),
	}
	if r.personal != "" {
		token := r.token(t.CustomerID)
		token.LinkID = r.links[r.personal]
		l.URL = r.urls.ClickURL(token)
	}
	vars := p.Vars()
	for i, c := range columns {
		l.Fields[i] = cell(vars[c])
	}
	return l, nil
}

func (s *Service) sorted(ctx context.Context, b batch, runID int64) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT t.customer_id FROM touches t LEFT JOIN customers c ON c.customer_id = t.customer_id
		WHERE t.campaign_id = @campaign AND t.step_id = @step AND t.state = 'sending' AND t.provider_ref = @claim
		ORDER BY c.country NULLS FIRST, c.postal_code NULLS FIRST, t.customer_id`,
		pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "claim": printClaim(runID)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

func (s *Service) claimed(ctx context.Context, b batch, ids []int64, claim string) (map[int64]touch, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost
		FROM touches t WHERE t.customer_id = ANY(@ids) AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'sending' AND t.provider_ref = @claim
		ORDER BY t.customer_id`, pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "ids": ids, "claim": claim})
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
	m := make(map[int64]touch, len(all))
	for _, t := range all {
		m[t.CustomerID] = t
	}
	return m, err
}

func (s *Service) cellNames(ctx context.Context, campaignID int64) (map[int64]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT cell_id, name FROM cells WHERE campaign_id = @campaign ORDER BY position`, pgx.NamedArgs{"campaign": campaignID})
	if err != nil {
		return nil, err
	}
	m := map[int64]string{}
	var cell int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&cell, &name}, func() error { m[cell] = name; return nil })
	return m, err
}

// columns are the customers' fields in the merge file.
func (s *Service) columns(ctx context.Context) ([]string, error) {
	attributes, err := customers.LoadAttributes(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	columns := []string{"external_id", "title", "first_name", "last_name", "suffix", "company", "street", "address2", "city", "region",
		"postal_code", "country", "language", "email", "phone", "orders_count", "total_spent", "last_order_at"}
	for _, a := range attributes {
		columns = append(columns, a.Name)
	}
	return columns, nil
}
