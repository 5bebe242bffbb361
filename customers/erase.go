package customers

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

// ErasedArgs tells that a customer's identity is gone, so that what was about to be sent is left out and its money set free.
// The worker is in package delivery.
type ErasedArgs struct {
	CustomerID ID `json:"customer_id"`
}

// Kind names the job.
func (ErasedArgs) Kind() string { return "customer_erased" }

// InsertOpts names the queue.
func (ErasedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// Delete erases a customer's identity: the customer, look-ups, memberships and consents go, and what touches, calls,
// responses and the sandbox hold of address, number or words is blanked. Orders, touches and responses stay under the
// bare number, so that totals do not change; suppressions stay, so that nobody is contacted again. What was planned
// is left out: the walks end here, the touches with the job ErasedArgs. NotFound where there is no customer.
func (s *Service) Delete(ctx context.Context, id ID) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var external, email, phone string
		err := tx.QueryRow(ctx, `DELETE FROM customers WHERE customer_id = @id
			RETURNING coalesce(external_id, ''), coalesce(email, ''), coalesce(phone, '')`,
			pgx.NamedArgs{"id": id}).Scan(&external, &email, &phone)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no customer %d", id)
		}
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{"id": id, "external": external, "email": strings.ToLower(email), "phone": phone, "now": s.now()}
		for _, sql := range []string{
			`DELETE FROM customer_external_ids WHERE external_id = @external AND customer_id = @id`,
			`DELETE FROM customer_emails WHERE email = @email AND customer_id = @id`,
			`DELETE FROM customer_phones WHERE phone = @phone AND customer_id = @id`,
			`DELETE FROM customer_identities WHERE customer_id = @id`,
			`DELETE FROM list_members WHERE customer_id = @id`,
			`DELETE FROM consents WHERE customer_id = @id`,
			`UPDATE enrollments SET state = 'left', reason = 'deleted', step_id = NULL, due_at = NULL, updated_at = @now
				WHERE customer_id = @id AND state = 'active'`,
			`UPDATE touches SET destination = NULL WHERE customer_id = @id AND destination IS NOT NULL`,
			`UPDATE calls SET phone = '', note = '', updated_at = @now,
				state = CASE WHEN state = 'done' THEN state ELSE 'withdrawn' END WHERE customer_id = @id`,
			`UPDATE call_attempts SET note = '' WHERE customer_id = @id AND note <> ''`,
			`UPDATE responses SET detail = '{}' WHERE customer_id = @id AND detail <> '{}'`,
			`DELETE FROM sandbox_messages WHERE lower(recipient) = @email AND @email <> '' OR recipient = @phone AND @phone <> ''`,
		} {
			if _, err := tx.Exec(ctx, sql, args); err != nil {
				return err
			}
		}
		if _, err := s.jobs.InsertTx(ctx, tx, ErasedArgs{CustomerID: id}, nil); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "customer.delete", "customer", id, nil)
	})
}
