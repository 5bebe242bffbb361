package access

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/id"
)

// Service keeps users and tokens and checks their credentials. Asking Require is the caller's part, except that
// nobody needs a permission to sign in or to change their own password.
type Service struct {
	pool     *pgxpool.Pool
	now      func() time.Time
	attempts *attempts
	hashing  chan struct{} // as many password hashes at once as memory allows
}

// New gives a service on the pool; now is the clock.
func New(pool *pgxpool.Pool, now func() time.Time) *Service {
	return &Service{pool: pool, now: now, attempts: newAttempts(), hashing: make(chan struct{}, hashesAtOnce)}
}

// recordTx writes the audit log as package audit does; that package needs this one to know who acts.
func (s *Service) recordTx(ctx context.Context, tx pgx.Tx, action, kind string, object any, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	body, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("audit detail of %s: %w", action, err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO audit_log (audit_id, at, actor, action, object_kind, object_id, detail)
		VALUES (@id, @at, @actor, @action, @kind, @object, @detail)`, pgx.NamedArgs{
		"id": id.New(), "at": s.now(), "actor": From(ctx).String(), "action": action, "kind": kind,
		"object": fmt.Sprint(object), "detail": body,
	})
	return err
}
