package inbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/tracking"
)

// touch is what a mail answers.
type touch struct {
	CustomerID, CampaignID, StepID int64
	Destination                    string
}

// touchTx looks up the touch of a token; ok is false where there is none.
func touchTx(ctx context.Context, tx pgx.Tx, t tracking.Token) (found touch, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT t.customer_id, t.campaign_id, t.step_id, coalesce(t.destination, '') FROM touches t
		WHERE t.customer_id IN (@customer, (SELECT a.customer_id FROM customer_aliases a WHERE a.old_id = @customer)) -- merged since
			AND t.campaign_id = @campaign AND t.step_id = @step AND t.channel = 'email' AND t.state IN ('sending', 'sent', 'unconfirmed', 'bounced', 'failed')
		ORDER BY t.customer_id = @customer DESC LIMIT 1`,
		pgx.NamedArgs{"customer": t.CustomerID, "campaign": t.CampaignID, "step": t.StepID}).
		Scan(&found.CustomerID, &found.CampaignID, &found.StepID, &found.Destination)
	if errors.Is(err, pgx.ErrNoRows) {
		return touch{}, false, nil
	}
	return found, err == nil, err
}

var (
	quotedAddress = regexp.MustCompile(`(?i)\b[bu]-[a-z2-7]{20,62}@[a-z0-9.-]+[a-z0-9]`)
	quotedLink    = regexp.MustCompile(`/t/([cou])/([A-Za-z0-9_-]{20,64})`)
	quotedID      = regexp.MustCompile(`(?i)\b[0-9]{1,19}\.[0-9]{1,19}\.[0-9]{1,19}\.[a-z2-7]{18}@`)
)

const maxQuoted = 10 // candidates of a kind that are checked

// quoted finds a signed address, link or Message-ID that a mail quotes from ours: whoever writes it has seen that mail.
func (s *Service) quoted(raw []byte) (tracking.Token, bool) {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("=\r\n"), nil), []byte("=\n"), nil)
	for _, a := range quotedAddress.FindAll(raw, maxQuoted) {
		if _, t, ok := s.signed.Read(string(a)); ok && t.CustomerID != 0 {
			return t, true
		}
	}
	for _, l := range quotedLink.FindAllSubmatch(raw, maxQuoted) {
		if t, err := s.signer.Verify(tracking.Purpose(l[1][0]), string(l[2])); err == nil && t.CustomerID != 0 {
			return t, true
		}
	}
	for _, id := range quotedID.FindAll(raw, maxQuoted) {
		if t, proven, _ := s.signer.ReadMessageID(string(id)); proven {
			return t, true
		}
	}
	return tracking.Token{}, false
}

// hops are fields that servers add on the way: they differ when a mail is sent again.
var hops = regexp.MustCompile(`(?i)^(received|return-path|delivered-to|x-original-to|envelope-to|x-envelope-to|authentication-results|received-spf|arc-[a-z-]+|x-received|x-google-[a-z-]+|x-spam-[a-z-]+):`)

// contentHash is what a mail is known by.
func contentHash(to string, raw []byte) []byte {
	h := sha256.New()
	h.Write([]byte(strings.ToLower(to) + "\n")) // a hash never fails
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	skip := false
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
			skip = hops.Match(line)
		}
		if !skip {
			h.Write(line)
			h.Write([]byte("\n"))
		}
	}
	h.Write([]byte("\n"))
	h.Write(bytes.TrimRight(body, "\n"))
	return h.Sum(nil)
}

var addressInText = regexp.MustCompile(`[^\s<>"'(),:;\[\]\\=]+@[^\s<>"'(),:;\[\]\\]+`)

// nameless takes addresses out of a text that is kept without a customer's number.
func nameless(s string) string { return addressInText.ReplaceAllString(s, "(address)") }
