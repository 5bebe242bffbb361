package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/settings"
	"aldine/tracking"
)

// groupSize is how many messages of one job are in flight at a time, and so how many a killed process can leave
// unconfirmed per job.
const groupSize = 10

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

// Timeout leaves it to the time that every job has.

// errPutOff makes the queue try a job again; what is planned still is in the database.
type errPutOff struct{ reason string }

func (e errPutOff) Error() string { return campaigns.PutOff + e.reason }

// outcome of handing over one message.
type outcome struct {
	result
	stop bool // the relay or gateway is out of reach: the rest would fare no better
}

// sender hands one message over; it must not wait longer than its own time-outs.
type sender func(ctx context.Context, t touch, p customers.Profile) outcome

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
		lost, err := s.loseEarlier(ctx, b, a.CustomerIDs, job.ID, job.Attempt)
		if err != nil {
			return err
		}
		if lost > 0 {
			s.log.Warn("touches are unconfirmed after a crash", "campaign", b.Code, "step", b.StepKey, "touches", lost)
		}
	}
	hand, err := s.sender(ctx, b)
	if err != nil {
		return err
	}
	last := job.Attempt >= job.MaxAttempts
	putOff := ""
	for group := range slices.Chunk(a.CustomerIDs, groupSize) {
		if ctx.Err() != nil {
			return ctx.Err() // what is planned stays so
		}
		reason, stop, err := s.sendGroup(ctx, b, group, job.ID, job.Attempt, last, hand)
		if err != nil {
			return err
		}
		if reason != "" {
			putOff = reason
		}
		if stop && !last {
			break
		}
	}
	if err := s.finishCheck(ctx, b.CampaignID); err != nil {
		return err
	}
	if putOff != "" {
		s.log.Warn("sending has to wait", "campaign", b.Code, "step", b.StepKey, "channel", b.Channel, "attempt", job.Attempt, "reason", putOff)
	}
	if putOff != "" && !last {
		return errPutOff{putOff}
	}
	return nil
}

// sendGroup claims some touches, hands them over at the same time and settles them. It gives why some must be tried
// again, if so, and whether the others better wait too.
func (s *Service) sendGroup(ctx context.Context, b batch, ids []int64, jobID int64, attempt int, last bool, hand sender) (string, bool, error) {
	claim := claimName(jobID, attempt)
	claimed, err := s.claim(ctx, b, ids, attempt, claim)
	if err != nil || len(claimed) == 0 {
		return "", false, err
	}
	// From here on whatever happens must be written down, even when the program is stopping.
	write := context.WithoutCancel(ctx)
	taken := make([]int64, len(claimed))
	for i, t := range claimed {
		taken[i] = t.CustomerID
	}
	profiles, err := customers.Profiles(write, s.pool, taken)
	if err != nil {
		back := make([]result, len(taken))
		for i, c := range taken {
			back[i] = result{CustomerID: c, State: "planned"}
		}
		return "", true, errors.Join(err, s.settle(write, b, claim, back))
	}
	outcomes := make([]outcome, len(claimed))
	var wait sync.WaitGroup
	for i, t := range claimed {
		wait.Go(func() {
			p, ok := profiles[t.CustomerID]
			if !ok {
				outcomes[i] = outcome{result: result{State: "failed", Reason: "the customer was deleted"}}
			} else {
				outcomes[i] = hand(ctx, t, p)
			}
			outcomes[i].CustomerID = t.CustomerID
		})
	}
	wait.Wait()
	results := make([]result, len(outcomes))
	reason, stop := "", false
	for i, o := range outcomes {
		if o.State == "planned" {
			reason = o.Reason
			o.result.Reason = ""
			if last {
				o.State, o.result.Reason = "failed", fmt.Sprintf("given up after %d tries: %s", attempt, reason)
			}
		}
		stop = stop || o.stop
		results[i] = o.result
	}
	return reason, stop, s.settle(write, b, claim, results)
}

func (s *Service) finishCheck(ctx context.Context, campaignID int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return campaigns.EnqueueFinishCheckTx(ctx, tx, s.jobs, campaignID)
	})
}

func (s *Service) sender(ctx context.Context, b batch) (sender, error) {
	r, err := s.renderer(ctx, b)
	if err != nil {
		return nil, err
	}
	switch b.Channel {
	case "email":
		return s.mailer(r), nil
	case "sms":
		return s.texter(r), nil
	}
	return nil, fmt.Errorf("no way to send over %q", b.Channel)
}

// renderer fills in the template of a batch for one customer after the other.
type renderer struct {
	batch    batch
	settings settings.Values
	template *content.Compiled
	links    map[string]int64
	personal string // of a letter: the address behind its QR code, as written in the template
	urls     tracking.URLs
	now      time.Time
}

func (s *Service) renderer(ctx context.Context, b batch) (*renderer, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	template, err := s.templates.Compiled(ctx, b.TemplateID, b.TemplateVersion)
	if err != nil {
		return nil, fmt.Errorf("template of step %s: %w", b.StepKey, err)
	}
	urls := template.Links()
	personal := ""
	if b.Channel == "post" {
		if personal = personalURL(template.Template().Body); personal != "" {
			urls = []string{personal}
		}
	}
	links, err := s.ensureLinks(ctx, b.CampaignID, urls)
	if err != nil {
		return nil, err
	}
	return &renderer{batch: b, settings: v, template: template, links: links, personal: personal, urls: s.urls, now: s.now()}, nil
}

// ensureLinks gives the numbers of a template's links; approval has stored them, so there is rarely one to add.
func (s *Service) ensureLinks(ctx context.Context, campaignID int64, urls []string) (map[string]int64, error) {
	links := map[string]int64{}
	if len(urls) == 0 {
		return links, nil
	}
	for _, sql := range []string{
		`SELECT url, link_id FROM links WHERE campaign_id = @campaign AND url = ANY(@urls) ORDER BY link_id`,
		`INSERT INTO links (campaign_id, url) SELECT @campaign, url FROM unnest(@urls::text[]) AS u (url)
			ON CONFLICT (campaign_id, url) DO UPDATE SET url = excluded.url RETURNING url, link_id`,
	} {
		rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{"campaign": campaignID, "urls": urls})
		if err != nil {
			return nil, err
		}
		var url string
		var link int64
		if _, err := pgx.ForEachRow(rows, []any{&url, &link}, func() error { links[url] = link; return nil }); err != nil {
			return nil, err
		}
		if len(links) == len(urls) {
			break
		}
	}
	return links, nil
}

func (r *renderer) token(customerID int64) tracking.Token {
	return tracking.Token{CampaignID: r.batch.CampaignID, StepID: r.batch.StepID, CustomerID: customerID}
}

// render fills in the template; the URL is the customer's unsubscribe address.
func (r *renderer) render(t touch, p customers.Profile) (content.Rendered, string, error) {
	token := r.token(t.CustomerID)
	unsubscribe := r.urls.UnsubscribeURL(token)
	vars := content.Vars{
		Customer: p.Vars(), CampaignName: r.batch.Name, CampaignCode: r.batch.Code, Keycode: t.Keycode,
		CompanyName: r.settings.CompanyName, CompanyAddress: r.settings.CompanyAddress, UnsubscribeURL: unsubscribe, Today: r.now,
	}.Map()
	out, err := r.template.Render(vars, func(url string) string {
		token.LinkID = r.links[url]
		return r.urls.ClickURL(token)
	})
	return out, unsubscribe, err
}
