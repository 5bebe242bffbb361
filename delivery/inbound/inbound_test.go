package inbound_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"aldine/delivery/inbound"
)

func TestHardBounce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	raw := dsn("elsewhere@other.example", "failed", "5.1.1", gone, "")
	w.posted("Received: from a by b; today\n"+raw, strings.ToUpper(w.back(1, 13))) // some systems shout
	w.want(responses, "bounce 1 13 token")
	w.want(bounced, "1/13")
	w.want(suppressions, "email anna@example.org email hard bounce: 550 5.1.1 User unknown")
	w.want(refused, "")
	w.want(mails, "smtp hard recorded 13")
	// Sent again by way of another server, at the same time from several.
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() { w.posted(fmt.Sprintf("Received: from c by d; %d\n%s", i, raw), strings.ToUpper(w.back(1, 13))) })
	}
	all.Wait()
	w.want(responses, "bounce 1 13 token")
	w.want(`SELECT count(*) FROM inbound_mails`, "1")
}

func TestOnlyOurAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{Strangers: 3})
	raw := dsn("anna@example.org", "failed", "5.1.1", gone, "")
	good := w.back(1, 13)
	altered := "b-" + strings.Map(func(r rune) rune {
		if r == 'a' {
			return 'b'
		}
		return r
	}, good[2:strings.Index(good, "@")]) + "@" + domain
	for _, to := range []string{"somebody@elsewhere.example", "nobody@" + domain, altered, "b-@" + domain, "u" + good[1:], strings.Replace(good, domain, "other.example", 1)} {
		w.refuses(550, raw, to)
	}
	w.want(`SELECT count(*) FROM inbound_mails`, "0")
	w.posted(raw, "postmaster@"+domain)
	w.posted("From: x@example.net\nSubject: Hello\n\nHello\n", "news@aldine.example") // the sender's own address
	c, err := smtp.Dial(w.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("", nil); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, to := range []string{"1@" + domain, "2@" + domain, good, "3@" + domain, "4@" + domain, good} {
		var e *smtp.SMTPError
		if errors.As(c.Rcpt(to, nil), &e) {
			said = append(said, fmt.Sprint(e.Code))
		} else {
			said = append(said, "250")
		}
	}
	if got := strings.Join(said, " "); got != "550 550 250 550 421 421" {
		t.Errorf("a client that tries addresses is told %s", got)
	}
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	arf := func(original string) string {
		return "From: fbl@provider.example\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nThis is spam.\n" +
			"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\n" + original + "\n\nHello\n--b--\n"
	}
	// The provider hides whose mail it was; the link in it tells.
	w.posted(arf("To: redacted@provider.example\nList-Unsubscribe: <"+w.urls.UnsubscribeURL(w.token(2, 12))+">"), "complaints@"+domain)
	w.want(responses, "complaint 2 12 token")
	w.want(refused, "2")
	w.want(suppressions, "email pair@example.org email complaint")
	// Without any proof: anybody can write that somebody complains. A person decides.
	w.posted(arf("To: anna@example.org"), "complaints@"+domain)
	w.posted(arf("To: anna@example.org\nMessage-ID: <1.13.1.aaaaaaaaaaaaaaaaaa@aldine.example>"), "complaints@"+domain)
	w.want(responses, "complaint 2 12 token")
	w.want(refused, "2")
	w.want(`SELECT concat_ws(' ', kind, reason, payload ->> 'email', payload ->> 'step_id') FROM unmatched_responses ORDER BY unmatched_id`,
		"complaint "+unproven+" anna@example.org, complaint "+unproven+" anna@example.org 13")
	w.resolve(1, 1)
	w.want(responses, "complaint 2 12 token, complaint 1 19 direct")
	w.want(refused, "1, 2")
	// The Message-ID carries a proof of its own.
	w.exec(`UPDATE consents SET granted = true`)
	w.exec(`DELETE FROM suppressions`)
	_, id := w.signed.Marks(w.token(1, 14), "aldine.example")
	w.posted(arf("To: redacted@provider.example\nMessage-ID: <"+id+">"), "complaints@"+domain)
	w.want(`SELECT step_id FROM responses WHERE kind = 'complaint' ORDER BY response_id DESC LIMIT 1`, "14")
	w.want(suppressions, "email anna@example.org email complaint")
}

func TestMessageIDIsNoProofAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	w.posted(dsn("pair@example.org", "failed", "5.1.1", gone, "Message-ID: <1.13.1@shop.example>"), "bounces@"+domain)
	w.want(bounced, "")      // anna's touch, but bob's address
	w.want(suppressions, "") // a stranger's word
	byID := dsn("Anna@example.org", "failed", "5.1.1", gone, "Message-ID: <1.13.1@shop.example>")
	w.posted(byID, "bounces@"+domain)
	w.want(responses, "")
	w.want(unmatched, "bounce mail "+unproven+", bounce mail "+unproven)
	w.want(bounced, "") // numbers can be tried until they fit
	w.want(suppressions, "")
	if r, err := w.s.Receive(t.Context(), "", []byte(byID)); err != nil || r.CustomerID != 1 || r.StepID != 13 {
		t.Fatalf("%+v %v", r, err)
	}
	w.want(bounced, "1/13")
	w.want(suppressions, "email anna@example.org email hard bounce: 550 5.1.1 User unknown")
	// A program of ours vouches for what it hands over.
	r, err := w.s.Receive(t.Context(), "", []byte(dsn("pair@example.org", "failed", "5.1.1", gone, "")))
	if err != nil || r.Outcome != inbound.Recorded || r.StepID != 0 && r.CampaignID != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	w.want(`SELECT match_key FROM suppressions ORDER BY 1`, "anna@example.org, pair@example.org")
	w.want(bounced, "1/13, 2/19") // the latest mail to that address
}

func TestMessageIDWithItsProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	_, id := w.signed.Marks(w.token(1, 13), "aldine.example")
	forged := "2" + id[1:]
	w.posted(dsn("pair@example.org", "failed", "5.1.1", gone, "Message-ID: <"+forged+">"), "bounces@"+domain)
	w.want(suppressions, "")
	w.want(unmatched, "bounce mail "+unproven)
	w.posted(dsn("passed-on@elsewhere.example", "failed", "5.1.1", gone, "Message-ID: <"+id+">"), "bounces@"+domain)
	w.want(responses, "bounce 1 13 token")
	w.want(bounced, "1/13")
	w.want(suppressions, "email anna@example.org email hard bounce: 550 5.1.1 User unknown")
	w.resolve(1, 2) // a person believes the other one, too
	w.want(`SELECT match_key FROM suppressions ORDER BY 1`, "anna@example.org, pair@example.org")
}

// Soft bounces that nobody vouches for never add up.
func TestUnprovenSoftBounces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	for step := 11; step <= 19; step++ {
		w.posted(dsn("anna@example.org", "failed", "5.2.2", fmt.Sprintf("552 5.2.2 Mailbox full %d", step), fmt.Sprintf("Message-ID: <1.%d.1@aldine.example>", step)), "bounces@"+domain)
	}
	w.want(suppressions, "")
	w.want(responses, "")
	w.want(`SELECT count(*) FROM unmatched_responses`, "9")
}

func TestControlCharacters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	w.posted(dsn("an\x00na@example.org", "delivered", "2.0.0", "250 fine \x00 and well", ""), w.back(1, 13))
	w.posted(dsn("an\x00na@example.org", "failed", "5.1.1", "550 \x00 unknown", "Subject: \x00"), "bounces@"+domain)
	w.want(`SELECT count(*) FROM inbound_mails`, "2")
}

func TestSoftBouncesInARow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	full := func(customer, step int64) {
		w.posted(dsn("x@example.org", "failed", "5.2.2", fmt.Sprintf("552 5.2.2 Mailbox full, attempt %d", step), ""), w.back(customer, step))
	}
	for _, step := range []int64{11, 12, 14, 15, 15, 16, 17} { // 13 arrived, it seems
		full(1, step)
	}
	w.want(suppressions, "")
	w.want(bounced, "")
	full(1, 13) // no: its report was late
	w.want(suppressions, "email anna@example.org email 5 mails in a row came back: 552 5.2.2 Mailbox full, attempt 13")
	w.want(`SELECT count(*) FROM responses`, "7")

	for _, step := range []int64{13, 14, 15, 16} {
		full(2, step)
	}
	w.exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, channel, method)
		VALUES (2, gen_random_uuid(), 'click', '2026-03-20 12:00:01Z', @now, 1, 16, 'email', 'token')`)
	full(2, 17)
	w.want(`SELECT match_key FROM suppressions`, "anna@example.org") // bob reads his mail
	w.clock.Add(int64(15 * 24 * 3600e9))
	w.exec(`DELETE FROM responses WHERE kind = 'click'`)
	full(2, 18) // the others were long ago
	w.want(`SELECT match_key FROM suppressions`, "anna@example.org")
}

func TestSoftBouncesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	var all sync.WaitGroup
	for step := int64(15); step <= 19; step++ {
		all.Go(func() { w.posted(dsn("x@example.org", "failed", "4.4.1", "no route to host", ""), w.back(1, step)) })
	}
	all.Wait()
	w.want(`SELECT match_key FROM suppressions`, "anna@example.org")
}

func TestOurFaultIsNotTheAddresss(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	for step := int64(11); step <= 19; step++ {
		w.posted(dsn("anna@example.org", "failed", "5.7.26", "550 5.7.26 mail to anna@example.org lacks DMARC authentication", ""), w.back(1, step))
	}
	w.posted(dsn("anna@example.org", "delayed", "4.4.1", "still trying", ""), w.back(1, 11))
	w.want(suppressions, "")
	w.want(`SELECT concat_ws(' ', step_id, cause, mails, message) FROM mail_troubles WHERE step_id = 11`, "11 policy 1 550 5.7.26 mail to (address) lacks DMARC authentication")
	w.want(`SELECT count(*) FROM responses WHERE kind = 'bounce'`, "9")
	w.want(`SELECT reason FROM inbound_mails WHERE kind = 'delayed'`, "the server is still trying")
}

func TestPeopleAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	sender := "news@aldine.example"
	mail := func(from, refs, text string) string {
		return "From: Somebody <" + from + ">\nTo: " + sender + "\nSubject: Re: Roses\nIn-Reply-To: " + refs + "\n\n" + text + "\n"
	}
	w.posted(mail("anna@example.org", "<1.12.1@aldine.example>", "Do you have red ones?\n\nOn Tuesday the shop wrote:\n> unsubscribe here: stop these mails"), sender)
	w.want(responses, "reply 1 12 direct")
	w.want(`SELECT detail ->> 'text' FROM responses`, "Do you have red ones?")
	w.posted(mail("stranger@example.net", "<1.12.1@aldine.example>", "Not mine."), sender) // somebody else's Message-ID
	w.want(unmatched, "reply mail no customer has the e-mail address stranger@example.net")
	w.posted(mail("pair@example.org", "", "please stop sending me this"), sender)
	w.want(refused, "2, 3") // whoever reads the address
	w.want(`SELECT concat_ws(' ', kind, outcome) FROM inbound_mails WHERE kind <> 'reply'`, "unsubscribe recorded")
	w.posted("From: anna@example.org\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nI am away\n", w.back(1, 12))
	w.want(`SELECT count(*) FROM responses WHERE customer_id = 1`, "1")
	w.want(`SELECT outcome FROM inbound_mails WHERE kind = 'autoreply'`, "ignored")
	w.posted("From: list@example.net\nList-Id: <l.example.net>\nSubject: News\n\nBuy\n", sender)
	w.want(`SELECT count(*) FROM unmatched_responses`, "2")
}

func TestUnsubscribeByMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	leave := w.signed.Leave(w.token(2, 12))
	for i := range 2 {
		w.posted(fmt.Sprintf("From: pair@example.org\nSubject: unsubscribe\nMessage-ID: <%d@x>\n\n", i), strings.ToLower(leave))
	}
	w.want(responses, "unsubscribe 2 12 token")
	w.want(refused, "2, 3")
	w.want(`SELECT DISTINCT source FROM consent_events`, "unsubscribe mail")
	w.posted("Subject: unsubscribe\n\n", w.signed.Leave(w.token(0, 0))) // of a test mail
	w.want(responses, "unsubscribe 2 12 token")
}

func TestAFailedStoreIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	raw := dsn("anna@example.org", "failed", "5.1.1", gone, "")
	w.exec(`ALTER TABLE suppressions ADD CONSTRAINT broken CHECK (reason NOT LIKE 'hard%')`)
	w.refuses(451, raw, w.back(1, 13))
	w.want(`SELECT count(*) FROM inbound_mails`, "0")
	w.want(responses, "")
	w.exec(`ALTER TABLE suppressions DROP CONSTRAINT broken`)
	w.posted(raw, w.back(1, 13))
	w.want(bounced, "1/13")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{PerSecond: 0.01})
	raw := dsn("anna@example.org", "delayed", "4.4.1", "still trying", "")
	w.posted(raw, w.back(1, 13))
	w.refuses(450, raw, w.back(1, 13))
	w = newWorld(t, inbound.Limits{})
	w.refuses(552, raw+strings.Repeat("A long line of a large picture that was sent back with the rest\n", 70_000), w.back(1, 13))
	w.want(`SELECT count(*) FROM inbound_mails`, "0")
}

// Strangers can fill neither the table nor a person's day: when very many wait, more are not kept, and what has proof counts all the same.
func TestReportsToReviewAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	w.exec(`INSERT INTO unmatched_responses (unmatched_id, kind, at, source, reason, payload) SELECT gen_random_uuid(), 'bounce', @now, 'mail', 'x', '{}' FROM generate_series(1, 4999)`)
	for n := range 3 {
		w.posted(dsn(fmt.Sprintf("nobody%d@example.org", n), "failed", "5.1.1", gone, ""), "bounces@"+domain)
		w.posted("From: stranger@elsewhere.example\r\nTo: bounces@"+domain+"\r\nSubject: hello\r\nMessage-ID: <"+fmt.Sprint(n)+"@x>\r\n\r\nwords\r\n", "bounces@"+domain)
	}
	w.want(`SELECT count(*) FROM unmatched_responses`, "5000")
	w.posted(dsn("anna@example.org", "failed", "5.1.1", gone, ""), w.signed.ReturnPath(w.token(1, 13)))
	w.want(responses, "bounce 1 13 token")
}
