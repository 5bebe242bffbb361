package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/delivery/email"
)

type sendWorker struct {
	river.WorkerDefaults[SendArgs]
	service *Service
}

// Work sends; see package doc.
func (w *sendWorker) Work(ctx context.Context, job *river.Job[SendArgs]) error {
	return w.service.send(ctx, job)
}

// NextRetry waits longer each time.
func (w *sendWorker) NextRetry(job *river.Job[SendArgs]) time.Time { return retryAt(job.Attempt) }

// errPutOff makes the queue try a job again; what is planned still is in the database.
type errPutOff struct{ reason string }

func (e errPutOff) Error() string { return campaigns.PutOff + e.reason }

const (
	restWithin = 3 * time.Second // a job waits so long for a relay that was out of reach; then it makes room
	soon       = time.Second     // when a job goes on that was interrupted
)

func (s *Service) send(ctx context.Context, job *river.Job[SendArgs]) error {
	a := job.Args
	b, err := s.loadBatch(ctx, a.CampaignID, a.StepID)
	if err != nil {
		return err
	}
	if b.Channel == "calls" {
		return s.listCalls(ctx, b, a.CustomerIDs)
	}
	if job.Attempt > 1 {
		err := s.takeOver(ctx, b, a.CustomerIDs, job.ID, job.Attempt)
		if errors.Is(err, errAlive) {
			return river.JobSnooze(5 * time.Second)
		}
		if err != nil {
			return err
		}
	}
	d, err := s.dueOf(ctx, b, a.CustomerIDs)
	if err != nil {
		return err
	}
	if err := s.leaveLate(ctx, b, d.late); err != nil {
		return err
	}
	if len(d.ids) == 0 && !d.next.IsZero() { // nothing was done that could end the campaign
		return s.waitFor(ctx, b, d.next)
	}
	if b.Channel == "email" {
		if rest := s.rest(ctx); rest > 0 {
			return river.JobSnooze(rest)
		}
	}
	left, err := s.sendAll(ctx, b, d, job)
	if err != nil {
		return err
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.finishCheck(after, b.CampaignID); err != nil {
		return err
	}
	switch {
	case left == nil && d.next.IsZero():
		return nil
	case left == nil:
		return s.waitFor(after, b, d.next)
	case !left.next.IsZero():
		return s.waitFor(after, b, earlier(d.next, left.next))
	}
	// What is planned again must have a job. A paused or cancelled campaign has none: whoever resumes it after this look finds
	// the touches planned.
	on, err := s.running(after, b.CampaignID)
	switch {
	case err != nil:
		return err
	case !on:
		return nil
	case left.reason == "":
		return river.JobSnooze(max(soon, left.wait))
	}
	s.log.Warn("sending has to wait", "campaign", b.Code, "step", b.StepKey, "channel", b.Channel, "attempt", job.Attempt, "reason", left.reason)
	return errPutOff{left.reason}
}

// rest waits while the relay that could not be reached had better be left alone; it gives how long that still is, if it is
// too long to wait for.
func (s *Service) rest(ctx context.Context) time.Duration {
	rest := s.mails.Rest()
	if rest == 0 {
		return 0
	}
	wait := time.NewTimer(min(rest, restWithin))
	defer wait.Stop()
	select {
	case <-wait.C:
		return s.mails.Rest()
	case <-ctx.Done():
		return soon
	}
}

// left says that touches are planned still or again, and why: a reason, for how long a rate lets none go, or until when the day's volume
// is used up.
type left struct {
	reason string
	wait   time.Duration
	next   time.Time // where all that are left wait for the next day
}

// sendAll claims the touches, hands them over and settles them. It tells what is left, nil where nothing is.
func (s *Service) sendAll(ctx context.Context, b batch, d due, job *river.Job[SendArgs]) (_ *left, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	journal, err := openHandover(s.config.DataDir, job.ID, job.Attempt)
	if err != nil {
		return nil, fmt.Errorf("journal of messages handed over: %w", err)
	}
	settled := false
	defer func() { journal.close(settled) }()
	claim := claimName(job.ID, job.Attempt)
	at := s.now()
	claimed, held, err := s.claim(ctx, b, d.ids, job.Attempt, claim)
	if err != nil {
		return nil, err
	}
	var tomorrow *left
	if held {
		if tomorrow, err = s.tomorrow(ctx, b, v, at); err != nil {
			return nil, err
		}
	}
	if len(claimed) == 0 {
		settled = true
		return tomorrow, nil
	}
	r := &run{batch: b, journal: journal, touches: claimed, till: d.till, priority: job.Priority, giveUp: putOffFor(job.Errors, time.Now()) > time.Duration(v.RetryDays)*24*time.Hour,
		note: func(o *outcome) string { return s.patients.note(&b, &v, o) }}
	if err := s.ready(ctx, r); err != nil {
		// Nothing was handed over; whatever happens to this job, what it holds must come back.
		write := s.writeDown(ctx, r, claim, true)
		if settled = write == nil; settled {
			s.giveBack(context.WithoutCancel(ctx), b, r.returned, at)
		}
		return nil, errors.Join(err, write)
	}
	switch b.Channel {
	case "email":
		err = s.carryMails(ctx, r, claim)
	case "sms":
		err = s.carryTexts(ctx, r, claim)
	default:
		err = fmt.Errorf("no way to send over %q", b.Channel)
	}
	settled = err == nil
	if err != nil {
		return nil, err
	}
	s.giveBack(context.WithoutCancel(ctx), b, r.returned, at)
	if !r.back {
		return tomorrow, nil
	}
	l := &left{reason: r.putOff}
	if l.reason == "" && len(r.late) > 0 {
		var until func()
		l.wait, until = s.limits.queue(&v, r.late)
		time.AfterFunc(l.wait, until)
	}
	return l, nil
}

// putOffFor tells for how long messages of a job were put off for their own sake, as the errors of its earlier attempts say:
// the relay answered 4xx, or broke the connection at them. The time in which it could not be reached is no fault of theirs.
func putOffFor(earlier []rivertype.AttemptError, now time.Time) time.Duration {
	for _, e := range earlier {
		reason, ok := strings.CutPrefix(e.Error, campaigns.PutOff)
		if ok && (strings.HasPrefix(reason, "4") && !strings.HasPrefix(reason, "421") || strings.HasPrefix(reason, email.Broke)) {
			return now.Sub(e.At)
		}
	}
	return 0
}

// ready reads what the messages will say.
func (s *Service) ready(ctx context.Context, r *run) (err error) {
	taken := make([]int64, len(r.touches))
	for i, t := range r.touches {
		taken[i] = t.CustomerID
	}
	found, err := customers.LoadProfiles(ctx, s.pool, taken)
	if err != nil {
		return err
	}
	r.profiles = make(map[int64]*customers.Profile, len(found))
	for i := range found {
		r.profiles[found[i].ID] = &found[i]
	}
	if r.renderer, err = s.renderer(ctx, r.batch); err != nil || r.batch.Channel != "email" {
		return err
	}
	if r.letterhead, err = s.letterhead(r.renderer); err != nil { // the sender's address, most likely: nobody's mail can be written
		return fmt.Errorf("mail of step %s: %w", r.batch.StepKey, err)
	}
	return nil
}

func (s *Service) finishCheck(ctx context.Context, campaignID int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return campaigns.EnqueueFinishCheckTx(ctx, tx, s.jobs, campaignID)
	})
}
