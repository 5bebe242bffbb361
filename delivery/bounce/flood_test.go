package bounce

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Whoever may write to the listener must not be able to keep it busy with one mail.
func TestMailsMadeToKeepUsBusy(t *testing.T) { // without limits each takes many minutes
	t.Parallel()
	lines := func(n int, line func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
		}
		return b.String()
	}
	for name, mail := range map[string]string{
		"a folded field": "From: a@example.org\nSubject: x\n" + lines(1_300_000, func(int) string { return " a\n" }) + "\nHello\n",
		"addresses in prose": "From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n" +
			lines(150_000, func(i int) string { return fmt.Sprintf("<p%d@example.org>: lost\n", i) }),
		"recipients of a report": "From: MAILER-DAEMON@example.org\nContent-Type: multipart/report; boundary=b\n\n--b\n\n" + strings.Repeat("Nobody knows why.\n", 100_000) +
			"\n--b\nContent-Type: message/delivery-status\n\n" + lines(30_000, func(i int) string {
			return fmt.Sprintf("Final-Recipient: rfc822; p%d@example.org\nAction: failed\n\n", i)
		}) + "--b--\n",
		"recipients of a complaint": "From: fbl@example.org\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n" +
			lines(90_000, func(i int) string { return fmt.Sprintf("Original-Rcpt-To: p%d@example.org\n", i) }) + "\n--b--\n",
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			m := Read([]byte(mail))
			if took := time.Since(begun); took > 2*time.Minute {
				t.Errorf("one mail took %s", took)
			}
			if len(m.Reports) > maxRecipients {
				t.Errorf("%d reports", len(m.Reports))
			}
		})
	}
}
