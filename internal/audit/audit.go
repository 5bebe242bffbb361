// Package audit writes down every change and who made it, in the transaction that makes it.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/id"
)

// RecordTx adds one entry: action is "campaign.launch", kind and object name what was changed. detail is stored as
// JSON and must hold no secrets; nil is allowed.
func RecordTx(ctx context.Context, tx pgx.Tx, at time.Time, action, kind string, object any, detail map[string]any) error {
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
		"id": id.New(), "at": at, "actor": access.From(ctx).String(), "action": action, "kind": kind,
		"object": fmt.Sprint(object), "detail": body,
	})
	return err
}
