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

// LicenceOver gives a condition on customers as alias who came by lists as list (null where that is not a rented one): may the
// name not be used in campaign @campaign, because it was in as many others as its licence allows, or the last day is over? All
// that one campaign sends is one use. Its parameters are @campaign and @today, a date.
func LicenceOver(alias, list string) string {
	return `(` + alias + `.rented AND ` + list + `.list_id IS NOT NULL AND (coalesce(` + list + `.mail_by < @today::text::date, false) OR ` + list + `.uses <= (
			SELECT count(DISTINCT used.campaign_id) FROM touches used
			WHERE used.customer_id = ` + alias + `.customer_id AND used.list_id = ` + list + `.list_id AND used.campaign_id <> @campaign
				AND used.state IN ('planned', 'sending', 'sent', 'bounced', 'unconfirmed'))))`
}
