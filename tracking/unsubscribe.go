package tracking

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// The sources that the package itself writes into response_refs; other programs cannot use these names.
const (
	sourceToken = "token" // unsubscribing by link, once per touch
	sourceSMS   = "sms"   // messages received, by the gateway's id
	sourceOrder = "order" // orders, by their number
	sourceMail  = "mail"  // mails received
)

// subscription is what an unsubscribe link ends.
type subscription struct {
	campaign, company, channel string
	cellID                     int64
}

func (s *Service) subscription(ctx context.Context, t Token) (subscription, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return subscription{}, err
	}
	sub := subscription{company: v.CompanyName, campaign: "Test", channel: "email"}
	if t.CustomerID == 0 {
		return sub, nil // a test message, perhaps of a template that no campaign uses yet
	}
	found, err := findSubscription(ctx, s.pool, t)
	found.company = v.CompanyName
	return found, err
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// findSubscription gives what a token's customer can leave.
func findSubscription(ctx context.Context, q rowQuerier, t Token) (sub subscription, err error) {
	err = q.QueryRow(ctx, `
		SELECT c.name, coalesce(s.channel, 'email'), coalesce(t.cell_id, 0)
		FROM campaigns c
		LEFT JOIN steps s ON s.step_id = @step AND s.campaign_id = c.campaign_id
		LEFT JOIN touches t ON t.campaign_id = c.campaign_id AND t.step_id = @step
			AND t.customer_id IN (@customer, (SELECT a.customer_id FROM customer_aliases a WHERE a.old_id = @customer)) -- merged since
		WHERE c.campaign_id = @campaign ORDER BY t.customer_id = @customer DESC LIMIT 1`,
		pgx.NamedArgs{"campaign": t.CampaignID, "step": t.StepID, "customer": t.CustomerID}).Scan(&sub.campaign, &sub.channel, &sub.cellID)
	if errors.Is(err, pgx.ErrNoRows) {
		return sub, errForged
	}
	return sub, err
}

// channelWords name a channel to the people who get it.
var channelWords = map[string]string{"email": "e-mails", "sms": "text messages", "post": "letters", "calls": "calls"}

// unsubscribePage only shows a button: mail scanners fetch every link, and must not unsubscribe anybody.
func (s *Service) unsubscribePage(w http.ResponseWriter, r *http.Request, text string) {
	token, err := s.signer.Verify(Unsubscribe, text)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	sub, err := s.subscription(r.Context(), token)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	what := channelWords[sub.channel]
	s.page(w, r, http.StatusOK, pageData{
		Title: "Unsubscribe", Heading: "Unsubscribe",
		Text: []string{
			fmt.Sprintf("You were contacted by %s in the campaign “%s”.", sub.company, sub.campaign),
			fmt.Sprintf("Press the button and %s will send you no more %s.", sub.company, what),
		},
		Button: "Stop these " + what,
	})
}

// unsubscribePost acts: on the page's button and on one-click requests of mail programs (RFC 8058) alike. The signed
// address is the right to do so; no cookie, sign-in or question is asked for.
func (s *Service) unsubscribePost(w http.ResponseWriter, r *http.Request, text string) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	token, err := s.signer.Verify(Unsubscribe, text)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	sub, err := s.subscription(r.Context(), token)
	if err == nil && token.CustomerID != 0 {
		err = s.unsubscribe(r.Context(), token, sub)
	}
	if err != nil {
		s.metrics.failed.WithLabelValues(string(KindUnsubscribe)).Inc()
		if !fault.Is(err, fault.NotFound) {
			s.log.Error("unsubscribe failed", "error", err)
			err = fault.Wrap(fault.Unavailable, err, "Your wish could not be stored just now. Please try again in a few minutes.")
		}
		s.problem(w, r, err)
		return
	}
	done := fmt.Sprintf("%s will send you no more %s.", sub.company, channelWords[sub.channel])
	if token.CustomerID == 0 {
		done = "This was a test message: nothing was changed."
	}
	s.page(w, r, http.StatusOK, pageData{Title: "Unsubscribed", Heading: "Done", Text: []string{done}})
}

// unsubscribe withdraws the consent and records the response, the latter once per touch. The wish is that of whoever reads
// the address, so it counts for all customers who have it: the next mail would else go out under another's name.
func (s *Service) unsubscribe(ctx context.Context, t Token, sub subscription) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.unsubscribeTx(ctx, tx, t, sub, "unsubscribe link") })
}

func (s *Service) unsubscribeTx(ctx context.Context, tx pgx.Tx, t Token, sub subscription, source string) error {
	at := s.now()
	person, err := customers.Resolve(ctx, tx, t.CustomerID)
	if err != nil {
		return err
	}
	response := row{
		customerID: person, campaignID: t.CampaignID, stepID: t.StepID, cellID: sub.cellID, id: id.New(),
		kind: KindUnsubscribe, at: at, channel: sub.channel, method: "token",
	}
	ref := fmt.Sprintf("%d/%d/%d", t.CustomerID, t.CampaignID, t.StepID)
	first, err := claimTx(ctx, tx, sourceToken, ref, person, response.id)
	if err != nil {
		return err
	}
	if first {
		if err := s.storeTx(ctx, tx, []row{response}); err != nil {
			return err
		}
		s.metrics.responses.WithLabelValues(string(KindUnsubscribe), Recorded).Inc()
	}
	people, err := sharersTx(ctx, tx, t, person, sub.channel)
	if err != nil {
		return err
	}
	changes := make([]consentChange, len(people))
	for i, p := range people {
		changes[i] = consentChange{customerID: p, channel: sub.channel, at: at}
	}
	return consentTx(ctx, tx, source, changes)
}

// sharersTx gives the customer of a touch, person by now, and all who have the e-mail address or number that it went to.
func sharersTx(ctx context.Context, tx pgx.Tx, t Token, person int64, channel string) ([]int64, error) {
	lookup := map[string]string{
		"email": `SELECT customer_id FROM customer_emails WHERE email = (SELECT lower(destination) FROM touch)`,
		"sms":   `SELECT customer_id FROM customer_phones WHERE phone = (SELECT destination FROM touch)`,
		"calls": `SELECT customer_id FROM customer_phones WHERE phone = (SELECT destination FROM touch)`,
		"post":  `SELECT 0 WHERE false`, // neighbours speak for themselves
	}[channel]
	rows, err := tx.Query(ctx, `
		WITH touch AS (SELECT destination FROM touches WHERE customer_id IN (@customer, @person) AND campaign_id = @campaign AND step_id = @step
			ORDER BY customer_id = @customer DESC LIMIT 1)
		SELECT @person::bigint UNION `+lookup+` ORDER BY 1`,
		pgx.NamedArgs{"customer": t.CustomerID, "person": person, "campaign": t.CampaignID, "step": t.StepID})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// claimTx takes a ref for a response; false means that another one has it. A second transaction with the same ref
// waits here for the first one's end.
func claimTx(ctx context.Context, tx pgx.Tx, source, ref string, customer int64, response uuid.UUID) (bool, error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO response_refs (source, ref, customer_id, response_id) VALUES (@source, @ref, @customer, @response)
		ON CONFLICT (source, ref) DO NOTHING`,
		pgx.NamedArgs{"source": source, "ref": ref, "customer": customer, "response": response})
	return tag.RowsAffected() == 1, err
}
