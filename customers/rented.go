package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Kinds of lists.
const (
	KindHouse  = "house"
	KindRented = "rented" // its names may be used under a licence, and are no part of the house file until they respond
	KindMerged = "merged" // the net names of a merge/purge run
)

// listKind gives the kind of a list, "" for no list.
func (s *Service) listKind(ctx context.Context, listID int64) (string, error) {
	var kind string
	if listID == 0 {
		return kind, nil
	}
	err := s.pool.QueryRow(ctx, `SELECT kind FROM lists WHERE list_id = @list`, pgx.NamedArgs{"list": listID}).Scan(&kind)
	return kind, err
}

// learns tells whether a row may change a customer whom it names: what a rented list says of somebody in the house file is
// hired for one use, and is not copied into it. Such a row only makes the customer a member of its list.
func (l *customerLoader) learns(p *person) bool { return l.kind != KindRented || p.Rented }

// houseTx takes rented names whom a house list or a plain file names into the house file.
func (l *customerLoader) houseTx(ctx context.Context, tx pgx.Tx, people []*person) error {
	if l.kind == KindRented || l.kind == KindMerged {
		return nil
	}
	var ids []ID
	for _, p := range people {
		if p.named && p.Rented {
			p.Rented, p.touched = false, true
			ids = append(ids, p.ID)
		}
	}
	return HouseTx(ctx, tx, ids)
}

// HouseTx makes rented names customers of the house: they have responded, or a file of the house names them.
func HouseTx(ctx context.Context, tx pgx.Tx, ids []ID) error {
	if len(ids) == 0 {
		return nil
	}
	// In order, so that two who do this at once wait for, and do not block, each other.
	_, err := tx.Exec(ctx, `UPDATE customers SET rented = false WHERE customer_id IN (
		SELECT customer_id FROM customers WHERE customer_id = ANY(@ids) AND rented ORDER BY customer_id FOR NO KEY UPDATE)`, pgx.NamedArgs{"ids": ids})
	return err
}

// moveNamesTx makes the names that came by a list rented ones, or house customers, after the list has changed its kind. Who
// responded, ordered or is on a house list stays in the house file.
func moveNamesTx(ctx context.Context, tx pgx.Tx, listID int64, rented bool) (int64, error) {
	args := pgx.NamedArgs{"list": listID}
	if !rented {
		tag, err := tx.Exec(ctx, `UPDATE customers SET rented = false WHERE list_id = @list AND rented`, args)
		return tag.RowsAffected(), err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE customers c SET rented = true
		WHERE c.list_id = @list AND NOT c.rented AND c.orders_count = 0
			AND NOT EXISTS (SELECT 1 FROM list_members m JOIN lists h ON h.list_id = m.list_id AND h.kind = 'house' WHERE m.customer_id = c.customer_id)
			AND NOT EXISTS (SELECT 1 FROM responses r WHERE r.customer_id = c.customer_id AND NOT r.machine
				AND r.kind IN ('click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey'))`, args)
	return tag.RowsAffected(), err
}

// LicenceOver gives a condition on customers as alias who came by lists as list (null where that is not a rented one): may the
// name not be used in campaign @campaign, because it was in as many others as its licence allows, or the last day is over? All
// that one campaign sends is one use. Its parameters are @campaign and @today, a date.
func LicenceOver(alias, list string) string {
	return `(` + alias + `.rented AND ` + list + `.list_id IS NOT NULL AND (coalesce(` + list + `.mail_by < @today::text::date, false) OR ` + list + `.uses <= (
			SELECT count(DISTINCT used.campaign_id) FROM touches used
			WHERE used.customer_id = ` + alias + `.customer_id AND used.list_id = ` + list + `.list_id AND used.campaign_id <> @campaign
				AND used.state IN ('planned', 'sending', 'sent', 'bounced', 'unconfirmed'))))`
}
