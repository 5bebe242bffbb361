package campaigns

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/tally"
)

// change moves a campaign to the state that an action leads to; act does what goes with it, after the state is written,
// in the same transaction. rowVersion guards against lost updates unless 0.
func (s *Service) change(ctx context.Context, id int64, rowVersion int, action Action, act func(pgx.Tx, *Campaign) error) error {
	return s.in(ctx, func(tx pgx.Tx) error {
		c, err := lockTx(ctx, tx, id, rowVersion)
		if err != nil {
			return err
		}
		from := c.State
		if c.State, err = c.State.After(action); err != nil {
			return err
		}
		if err := s.setStateTx(ctx, tx, c, action); err != nil {
			return err
		}
		if err := act(tx, &c); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "campaign."+string(action), "campaign", id, map[string]any{"code": c.Code, "from": from, "to": c.State})
	})
}

func (s *Service) setStateTx(ctx context.Context, tx pgx.Tx, c Campaign, action Action) error {
	now := s.now()
	set := map[Action]string{
		Approve:  ", approved_by = @actor, approved_at = @now",
		Withdraw: ", approved_by = NULL, approved_at = NULL",
		Launch:   ", launched_at = @now",
		Resume:   ", pause_reason = NULL, pause_step_id = NULL",
		Finish:   ", finished_at = @now",
		Cancel:   ", finished_at = @now",
	}
	_, err := tx.Exec(ctx, `UPDATE campaigns SET state = @state, row_version = row_version + 1, updated_at = @now`+set[action]+` WHERE campaign_id = @id`,
		pgx.NamedArgs{"id": c.ID, "state": c.State, "now": now, "actor": access.From(ctx).String()})
	return err
}

// lockTx reads a campaign and keeps its row from changing until the transaction ends.
func lockTx(ctx context.Context, tx pgx.Tx, id int64, rowVersion int) (Campaign, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM campaigns WHERE campaign_id = @id FOR UPDATE`, pgx.NamedArgs{"id": id}); err != nil {
		return Campaign{}, err
	}
	c, err := load(ctx, tx, id)
	if err == nil && rowVersion != 0 && rowVersion != c.RowVersion {
		err = fault.New(fault.Conflict, "Someone else has changed the campaign: load it again, then make your change")
	}
	return c, err
}

// Withdraw takes an approval back, so that the campaign can be changed. Fails with Conflict or NotFound.
func (s *Service) Withdraw(ctx context.Context, id int64, rowVersion int) (Details, error) {
	err := s.change(ctx, id, rowVersion, Withdraw, func(tx pgx.Tx, c *Campaign) error {
		// The frozen version stays as it was; the draft goes on with a copy.
		if _, err := tx.Exec(ctx, `
			INSERT INTO journeys (campaign_id, version, definition)
			SELECT campaign_id, version + 1, definition FROM journeys WHERE campaign_id = @id AND version = @version`,
			pgx.NamedArgs{"id": id, "version": c.Version}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE campaigns SET version = version + 1, expression = CASE WHEN segment_id IS NULL THEN expression ELSE '' END,
				segment_version = NULL
			WHERE campaign_id = @id`, pgx.NamedArgs{"id": id})
		return err
	})
	return s.after(ctx, id, err)
}

// Launch starts an approved campaign. Fails with Conflict or NotFound.
func (s *Service) Launch(ctx context.Context, id int64) (Details, error) {
	err := s.change(ctx, id, 0, Launch, func(tx pgx.Tx, c *Campaign) error {
		if c.EndsAt != nil && !c.EndsAt.After(s.now()) {
			return fault.New(fault.Conflict, "The campaign's end has passed: nothing of it would be sent. Withdraw the approval and set another end")
		}
		if err := s.bookFixedTx(ctx, tx, *c); err != nil {
			return err
		}
		if err := s.reserveListsTx(ctx, tx, *c); err != nil {
			return err
		}
		_, err := s.jobs.InsertTx(ctx, tx, journey.EntryArgs{CampaignID: id}, nil)
		return err
	})
	return s.after(ctx, id, err)
}

// Pause holds a running campaign; nothing is skipped. When it returns no slice is being walked. Fails with Conflict or
// NotFound.
func (s *Service) Pause(ctx context.Context, id int64) (Details, error) {
	err := s.change(ctx, id, 0, Pause, func(pgx.Tx, *Campaign) error { return nil })
	return s.after(ctx, id, err)
}

// Resume goes on with a paused campaign. Fails with Conflict or NotFound.
func (s *Service) Resume(ctx context.Context, id int64) (Details, error) {
	err := s.change(ctx, id, 0, Resume, func(tx pgx.Tx, c *Campaign) error {
		if _, err := s.jobs.InsertTx(ctx, tx, ResumedArgs{CampaignID: id}, nil); err != nil {
			return err
		}
		return s.engine.PokeTx(ctx, tx, id)
	})
	return s.after(ctx, id, err)
}

// Cancel ends a campaign for good; what is not sent yet never will be. Fails with Conflict or NotFound.
func (s *Service) Cancel(ctx context.Context, id int64) (Details, error) {
	err := s.change(ctx, id, 0, Cancel, func(tx pgx.Tx, c *Campaign) error {
		if c.LaunchedAt == nil {
			return nil
		}
		if c.EntryDoneAt == nil { // rented names that entered are used
			if err := s.bookListsTx(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `
			UPDATE enrollments SET state = 'left', reason = 'cancelled', step_id = NULL, due_at = NULL, updated_at = @now
			WHERE campaign_id = @id AND state = 'active'`, pgx.NamedArgs{"id": id, "now": s.now()}); err != nil {
			return err
		}
		if err := tally.MarkAllTx(ctx, tx, id, s.now()); err != nil {
			return err
		}
		_, err := s.jobs.InsertTx(ctx, tx, CancelledArgs{CampaignID: id}, nil)
		return err
	})
	return s.after(ctx, id, err)
}

func (s *Service) after(ctx context.Context, id int64, err error) (Details, error) {
	if err != nil {
		return Details{}, err
	}
	return s.Get(ctx, id)
}

// finish calls a running campaign finished where nothing is open any more. Touches whose sending is
// unconfirmed don't keep it open; they are shown beside it.
func (s *Service) finish(ctx context.Context, id int64) error {
	ctx = access.With(ctx, access.System)
	return s.in(ctx, func(tx pgx.Tx) error {
		c, err := lockTx(ctx, tx, id, 0)
		if err != nil || c.State != Running || c.EntryDoneAt == nil {
			return err
		}
		var open bool
		if err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT 1 FROM enrollments WHERE campaign_id = @id AND state = 'active')
				OR EXISTS (SELECT 1 FROM touches WHERE campaign_id = @id AND state IN ('planned', 'sending'))
				OR EXISTS (SELECT 1 FROM print_runs WHERE campaign_id = @id AND state = 'open')
				OR EXISTS (SELECT 1 FROM call_lists l JOIN calls k ON k.call_list_id = l.call_list_id
					WHERE l.campaign_id = @id AND k.state IN ('ready', 'waiting', 'leased'))`,
			pgx.NamedArgs{"id": id}).Scan(&open); err != nil || open {
			return err
		}
		if c.State, err = c.State.After(Finish); err != nil {
			return err
		}
		if err := s.setStateTx(ctx, tx, c, Finish); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "campaign.finish", "campaign", id, map[string]any{"code": c.Code, "to": c.State})
	})
}
