package email

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// DKIM signs mails in the name of the sender's domain (RFC 6376, RFC 8463). It is safe for concurrent use. A signature by a
// key of 2,048 bits (RSA) costs a millisecond or two of the processor, one by Ed25519 a twentieth of that.
type DKIM struct{ keys []DKIMKey }

// DKIMKey is a key and the selector under which its public half stands in the domain's DNS.
type DKIMKey struct {
	Selector string
	Signer   crypto.Signer
}

// signed are the fields that nobody may change or add on the way. From stands twice, so that a second one breaks the
// signature; a field that a mail does not have is thereby forbidden as well.
var signed = []string{"From", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To", "Cc"}

// NewDKIM signs with every key. It fails where there is none, or where two have one selector.
func NewDKIM(keys ...DKIMKey) (*DKIM, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("signing mails needs a key")
	}
	for i, k := range keys {
		if !validSelector(k.Selector) {
			return nil, fmt.Errorf("%q is not a DKIM selector: use letters, digits and hyphens", k.Selector)
		}
		if slices.ContainsFunc(keys[:i], func(o DKIMKey) bool { return strings.EqualFold(o.Selector, k.Selector) }) {
			return nil, fmt.Errorf("two keys have the DKIM selector %s: each needs one of its own", k.Selector)
		}
	}
	return &DKIM{slices.Clone(keys)}, nil
}

func validSelector(s string) bool {
	ok := func(r rune) bool {
		return r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return s != "" && len(s) <= 63 && !strings.ContainsFunc(s, func(r rune) bool { return !ok(r) }) && strings.Trim(s, "-.") == s
}

// Keys gives the keys.
func (d *DKIM) Keys() []DKIMKey { return slices.Clone(d.keys) }

// Sign puts the signatures of a domain before a mail, in place where there is room.
func (d *DKIM) Sign(mail []byte, domain string) ([]byte, error) {
	var head []byte
	for _, k := range d.keys {
		s, err := dkim.NewSigner(&dkim.SignOptions{Domain: strings.ToLower(domain), Selector: k.Selector, Signer: k.Signer, Hash: crypto.SHA256,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed, HeaderKeys: signed})
		if err != nil {
			return nil, err
		}
		if _, err = bytes.NewReader(mail).WriteTo(s); err != nil {
			_ = s.Close() // the first error says it
			return nil, fmt.Errorf("DKIM signature: %w", err)
		}
		if err := s.Close(); err != nil {
			return nil, fmt.Errorf("DKIM signature: %w", err)
		}
		head = append(head, s.Signature()...)
	}
	return slices.Insert(mail, 0, head...), nil
}
