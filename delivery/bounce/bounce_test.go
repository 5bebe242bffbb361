package bounce

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aldine/internal/testdata"
)

type labelled struct {
	Index    int    `json:"recipient_index"`
	Hard     bool   `json:"hard_bounce"`
	Reason   string `json:"reason"`
	Status   string `json:"status"`
	Feedback string `json:"feedback_type"`
}

// The public collection says of each recipient whether the bounce is hard.
func TestRealReports(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(testdata.Path(t, "dsn/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]labelled
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	right, all, missing := 0, 0, 0
	for name, want := range expected {
		file, err := os.Open(testdata.Path(t, filepath.Join("dsn/messages", name)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(file)
		_ = file.Close()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			all++
			if i >= len(got) {
				missing++
				t.Logf("%s %d: not found, is %s", name, i+1, w.Reason)
				if w.Reason == "feedback" {
					t.Errorf("%s: a complaint is missed", name)
				}
				continue
			}
			g := got[i]
			ok := (g.Kind == Hard) == w.Hard
			switch w.Reason {
			case "feedback":
				if g.Kind != Complaint {
					t.Errorf("%s: a complaint is taken for %s", name, g.Kind)
				}
			case "vacation":
				ok = g.Kind == AutoReply
			}
			if ok {
				right++
			} else {
				t.Logf("%s %d %s: %s (%s) %s, is %s %s: %s", name, i+1, g.Recipient, g.Kind, g.Cause, g.Status, w.Reason, w.Status, g.Reason)
			}
		}
		if len(got) > len(want) {
			t.Logf("%s: %d found, %d labelled: %v", name, len(got), len(want), got)
		}
	}
	t.Logf("%d of %d right, %d not found", right, all, missing)
	if right*100 < all*88 {
		t.Errorf("hard or soft is right for %d of %d recipients", right, all)
	}
}

func TestOrdinaryMailIsNoReport(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(testdata.Path(t, "dsn/not-bounces") + "/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(file); err != nil || len(got) > 0 {
			t.Errorf("%s: %v %v", name, got, err)
		}
		_ = file.Close()
	}
}

const notice = `From: MAILER-DAEMON@mx.example.org
To: <%s>
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver it.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; anna@example.com
Action: ACTION
Status: STATUS
Diagnostic-Code: smtp; WORDS

--b
Content-Type: text/rfc822-headers

Message-ID: <1.2.3@shop.example>
To: anna@example.com

--b--
`

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action, status, words string
		kind                  Kind
		cause                 Cause
	}{
		{"failed", "5.1.1", "550 5.1.1 User unknown", Hard, NoMailbox},
		{"failed", "5.1.2", "550 5.1.2 Bad destination system", Hard, NoDomain},
		{"failed", "5.1.6", "551 5.1.6 The user has moved", Hard, Moved},
		{"failed", "5.1.10", "556 5.1.10 Recipient address has null MX", Hard, NoMail},
		{"failed", "5.2.2", "552 5.2.2 Mailbox is full", Soft, Full},
		{"failed", "5.2.1", "550 5.2.1 The account is disabled", Soft, Disabled},
		{"failed", "5.2.3", "552 message size exceeds the limit", Soft, TooBig},
		{"failed", "5.7.1", "550 5.7.1 blocked using Spamhaus, see our list", Soft, Policy},
		{"failed", "5.7.26", "550 5.7.26 Unauthenticated email is not accepted due to DMARC policy", Soft, Policy},
		{"failed", "5.7.0", "554 5.7.0 this looks like spam", Soft, Content},
		{"failed", "4.4.7", "delivery time expired", Soft, Expired},
		{"failed", "4.4.1", "connection refused", Soft, Network},
		{"failed", "5.0.0", "", Soft, Other},
		{"delayed", "4.4.1", "450 4.4.1 will keep trying", Delayed, ""},
		{"relayed", "2.0.0", "250 ok", Unknown, ""},
	} {
		mail := strings.NewReplacer("ACTION", c.action, "STATUS", c.status, "WORDS", c.words, "%s", "b-token@bounce.shop.example").Replace(notice)
		for _, text := range []string{mail, strings.ReplaceAll(mail, "\n", "\r\n")} {
			got, err := Parse(strings.NewReader(text))
			if err != nil || len(got) != 1 {
				t.Fatalf("%+v: %v %v", c, got, err)
			}
			r := got[0]
			if r.Kind != c.kind || r.Cause != c.cause || r.Recipient != "anna@example.com" || r.To != "b-token@bounce.shop.example" || r.MessageID != "1.2.3@shop.example" {
				t.Errorf("%+v gives %+v", c, r)
			}
		}
	}
}

func TestAutomaticReply(t *testing.T) {
	t.Parallel()
	got, err := Parse(strings.NewReader("From: Anna <anna@example.com>\nTo: shop@example.org\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am back on Monday.\n"))
	if err != nil || len(got) != 1 || got[0].Kind != AutoReply || got[0].Recipient != "anna@example.com" {
		t.Errorf("%v %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(notice)
	f.Add("From a b\n\n")
	f.Add("Content-Type: multipart/mixed; boundary=\n\n--\n--\n")
	f.Add("Content-Type: message/feedback-report\n\nOriginal-Rcpt-To: <a@b.c>\n")
	f.Fuzz(func(t *testing.T, mail string) {
		got, err := Parse(strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			if r.Kind == "" || len([]rune(r.Reason)) > 300 {
				t.Errorf("%+v", r)
			}
		}
	})
}
