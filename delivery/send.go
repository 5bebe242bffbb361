package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/settings"
	"aldine/tracking"
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

// Timeout leaves it to the time that every job has.

// errPutOff makes the queue try a job again; what is planned still is in the database.
type errPutOff struct{ reason string }

func (e errPutOff) Error() string { return campaigns.PutOff + e.reason }

// outcome of handing over one message.
type outcome struct {
	result
	stop bool // the relay or gateway did not answer: soon the rest better waits
}

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
	putOff, err := s.sendAll(ctx, b, a.CustomerIDs, job)
	if err != nil {
		return err
	}
	if err := s.finishCheck(ctx, b.CampaignID); err != nil {
		return err
	}
	if putOff != "" {
		s.log.Warn("sending has to wait", "campaign", b.Code, "step", b.StepKey, "channel", b.Channel, "attempt", job.Attempt, "reason", putOff)
	}
	if putOff != "" && job.Attempt < job.MaxAttempts {
		return errPutOff{putOff}
	}
	return nil
}

// sendAll claims the touches, hands them over and settles them. It gives why some must be tried again, if so.
func (s *Service) sendAll(ctx context.Context, b batch, ids []int64, job *river.Job[SendArgs]) (putOff string, err error) {
	journal, err := openHandover(s.config.DataDir, job.ID, job.Attempt)
	if err != nil {
		return "", fmt.Errorf("journal of messages handed over: %w", err)
	}
	settled := false
	defer func() { journal.close(settled) }()
	claim := claimName(job.ID, job.Attempt)
	claimed, err := s.claim(ctx, b, ids, job.Attempt, claim)
	if err != nil {
		return "", err
	}
	if len(claimed) == 0 {
		settled = true
		return "", nil
	}
	r := &run{batch: b, journal: journal, touches: claimed, attempt: job.Attempt, last: job.Attempt >= job.MaxAttempts}
	if err := s.ready(ctx, r); err != nil {
		// Nothing was handed over; whatever happens to this job, what it holds must come back.
		err = errors.Join(err, s.settleSurely(ctx, b, claim, r.collect(true)))
		return "", err
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
	return r.putOff, err
}

// ready reads what the messages will say.
func (s *Service) ready(ctx context.Context, r *run) (err error) {
	taken := make([]int64, len(r.touches))
	for i, t := range r.touches {
		taken[i] = t.CustomerID
	}
	if r.profiles, err = customers.Profiles(ctx, s.pool, taken); err != nil {
		return err
	}
	r.renderer, err = s.renderer(ctx, r.batch)
	return err
}

// takeOver settles what earlier attempts of the job left in sending, as far as their journals tell: handed over and
// answered, in doubt, or not handed over at all. It fails with errAlive while an earlier attempt may still be at work.
func (s *Service) takeOver(ctx context.Context, b batch, ids []int64, jobID int64, attempt int) error {
	left, err := s.leftInSending(ctx, b, ids, jobID, attempt)
	if err != nil {
		return err
	}
	lost := 0
	for earlier, customers := range left {
		fates, known, err := readHandover(s.config.DataDir, jobID, earlier)
		if err != nil {
			return err
		}
		results := make([]result, len(customers))
		for i, c := range customers {
			results[i] = inherit(c, fates[c], known)
			if results[i].State == "unconfirmed" {
				lost++
			}
		}
		if err := s.settle(ctx, b, claimName(jobID, earlier), results); err != nil {
			return err
		}
		dropHandover(s.config.DataDir, jobID, earlier)
	}
	if lost > 0 {
		s.log.Warn("touches are unconfirmed after a crash", "campaign", b.Code, "step", b.StepKey, "touches", lost)
	}
	return nil
}

// inherit tells what became of a message that a dead process had claimed.
func inherit(customerID int64, f fate, known bool) result {
	r := result{CustomerID: customerID}
	switch {
	case !known || f == fateBegun:
		r.State, r.Reason = "unconfirmed", "the program stopped between handing the message over and writing that down"
	case f == fateSent:
		r.State = "sent"
	case f == fateFailed:
		r.State, r.Reason = "failed", "refused; the program stopped before it had written down why"
	default:
		r.State = "planned"
	}
	return r
}

func (s *Service) finishCheck(ctx context.Context, campaignID int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return campaigns.EnqueueFinishCheckTx(ctx, tx, s.jobs, campaignID)
	})
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

// vars gives the values of a template for one customer, the address under which the customer can leave, and what makes a
// link a tracked one.
func (r *renderer) vars(t *touch, p customers.Profile) (vars map[string]any, unsubscribe string, rewrite func(string) string) {
	token := r.token(t.CustomerID)
	unsubscribe = r.urls.UnsubscribeURL(token)
	return content.Vars{
			Customer: p.Vars(), CampaignName: r.batch.Name, CampaignCode: r.batch.Code, Keycode: t.Keycode,
			CompanyName: r.settings.CompanyName, CompanyAddress: r.settings.CompanyAddress, UnsubscribeURL: unsubscribe, Today: r.now,
		}.Map(), unsubscribe, func(url string) string {
			token.LinkID = r.links[url]
			return r.urls.ClickURL(token)
		}
}

// render fills in the template; the URL is the customer's unsubscribe address.
func (r *renderer) render(t touch, p customers.Profile) (content.Rendered, string, error) {
	vars, unsubscribe, rewrite := r.vars(&t, p)
	out, err := r.template.Render(vars, rewrite)
	return out, unsubscribe, err
}

// fill is render for those who keep the template's fixed text.
func (r *renderer) fill(t *touch, p customers.Profile) (content.Values, string, error) {
	vars, unsubscribe, rewrite := r.vars(t, p)
	out, err := r.template.Fill(vars, rewrite)
	return out, unsubscribe, err
}
