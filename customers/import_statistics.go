package customers

import (
	"context"

	"aldine/internal/pg"
)

// written names the tables that an import of each kind fills.
var written = map[string][]string{
	"customers": {"customers", "customer_external_ids", "customer_emails", "customer_phones", "customer_identities", "list_members", "consents"},
	"orders":    {"customers", "orders", "order_refs", "order_lines"},
}

// muchWritten is how many rows written make new statistics worth a second.
const muchWritten = 10_000

// gatherStatistics lets the first campaign after a big import be planned well.
func (s *Service) gatherStatistics(ctx context.Context, imp Import) error {
	if imp.DryRun {
		return nil
	}
	imp, err := s.Import(ctx, imp.ID)
	if err != nil || imp.Created+imp.Updated < muchWritten {
		return err
	}
	return pg.Analyze(ctx, s.pool, written[imp.Kind]...)
}
