package delivery_test

import (
	"bytes"
	"errors"
	"net/mail"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/jackc/pgx/v5"

	"aldine/delivery/email"
	"aldine/delivery/sandbox"
	"aldine/tracking"
)

// A mail that comes back tells by its envelope whose it was; the reader sees the sender as before, and the signature holds
// after the way through a mail server.
func TestReturnPathAndSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, key, err := email.NewDKIMKey("ed25519")
	w.must(err)
	record, err := email.DKIMRecord(key.Public())
	w.must(err)
	signer, err := email.NewDKIM(email.DKIMKey{Selector: "s1", Signer: key})
	w.must(err)
	c := w.config
	c.BounceDomain, c.DKIM = "bounces.shop.example", signer
	d := w.open(c)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	w.work(d)
	w.want("touches", w.counts(s), "sent:3")
	token := tracking.Token{CampaignID: w.campaign, StepID: s.ID, CustomerID: ids[1]}
	signed := tracking.Addresses{Domain: "bounces.shop.example", Signer: w.signer}
	box, err := d.Outbox(t.Context(), sandbox.Query{Recipient: "p1@x.example"})
	w.must(err)
	if len(box) != 1 {
		t.Fatalf("%d mails", len(box))
	}
	w.want("return path", box[0].Sender, signed.ReturnPath(token))
	m, err := d.OutboxMessage(t.Context(), box[0].ID)
	w.must(err)
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	w.must(err)
	w.want("From", parsed.Header.Get("From"), `"Aldine" <news@aldine.example>`)
	urls := tracking.URLs{Base: "https://aldine.example", Signer: w.signer}
	w.want("List-Unsubscribe", parsed.Header.Get("List-Unsubscribe"), "<"+urls.UnsubscribeURL(token)+">, <mailto:"+signed.Leave(token)+"?subject=unsubscribe>")
	w.want("List-Unsubscribe-Post", parsed.Header.Get("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click")
	found, err := dkim.VerifyWithOptions(bytes.NewReader(m.Raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name == "s1._domainkey.aldine.example" {
			return []string{record}, nil
		}
		return nil, errors.New("no such name")
	}})
	w.must(err)
	if len(found) != 1 || found[0].Err != nil || found[0].Domain != "aldine.example" {
		t.Errorf("signature: %+v %v", found[0], found[0].Err)
	}
	// The trouble of a mail that its server did not believe stands on the campaign.
	w.exec(`INSERT INTO mail_troubles (campaign_id, step_id, cause, mails, message, first_at, last_at) VALUES (@campaign, @step, 'policy', 2, '550 5.7.26 no DMARC', @now, @now)`, pgx.NamedArgs{"campaign": w.campaign, "step": s.ID, "now": start})
	w.want("troubles", w.troubles(), "email: the servers do not trust the sender (aldine doctor --domain says what is missing); the last one said: 550 5.7.26 no DMARC")
}
