package tracking

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// target gives the address that a click leads to. Links never change, so that each is read once. NotFound where the
// link is unknown or its target is no web address.
func (s *Service) target(ctx context.Context, t Token) (string, error) {
	kept, ok := s.links.Load(t.LinkID)
	if !ok {
		var to string
		err := s.pool.QueryRow(ctx, `SELECT url FROM links WHERE link_id = @id`, pgx.NamedArgs{"id": t.LinkID}).Scan(&to)
		if errors.Is(err, pgx.ErrNoRows) {
			return "", fault.New(fault.NotFound, "This link leads nowhere any more.")
		}
		if err != nil {
			return "", err
		}
		s.links.Store(t.LinkID, to)
		kept = to
	}
	to := kept.(string)
	if strings.Contains(to, "{{") || strings.Contains(to, "{%") {
		if s.expand == nil {
			return "", errors.New("a link holds template tags, and nothing is there to fill them in")
		}
		var err error
		if to, err = s.expand(ctx, to, t.CustomerID, t.CampaignID); err != nil {
			return "", fmt.Errorf("link %d: %w", t.LinkID, err)
		}
	}
	u, err := url.Parse(strings.TrimSpace(to))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fault.New(fault.NotFound, "This link does not lead to a web page.")
	}
	return u.String(), nil
}
