package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// landingLock is the key of the advisory lock that keeps apart who stores hits that were answered before, and who changes whose
// they are.
const landingLock = 0x4c616e64

// hungAfter is how long a transaction that stores hits may do nothing: the process hangs, and others have to go on.
const hungAfter = "30s"

// LandingTx waits until nobody else stores hits, nor holds them up with HoldHitsTx, and keeps it so until tx ends.
func LandingTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '`+hungAfter+`', true)`, int64(landingLock))
	return err
}

// HoldHitsTx keeps hits in their journal until tx ends. Who moves a customer's responses to another number, or blanks them, calls it
// before: what was stored is seen then, and what comes later finds the customer as tx leaves it.
func HoldHitsTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, int64(landingLock))
	return err
}
