package tracking

import (
	"encoding/base32"
	"strings"
)

// Addresses makes the signed mail addresses to which answers come. Domain is the one whose mail reaches the installation;
// "" makes none.
//
// Mail systems may write a local part in small letters, so the token is in base32: 28 to 43 characters for any usual numbers.
type Addresses struct {
	Domain string
	Signer *Signer
}

var mailEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const maxLocal = 64 // RFC 5321, 4.5.3.1.1

// ReturnPath is the envelope sender of a touch's mail, b-token@domain; "" where no domain is configured.
func (a Addresses) ReturnPath(t Token) string { return a.address(Bounce, t) }

// Leave is the address that unsubscribes by any mail to it, u-token@domain; "" where no domain is configured.
func (a Addresses) Leave(t Token) string { return a.address(Unsubscribe, t) }

func (a Addresses) address(p Purpose, t Token) string {
	if a.Domain == "" {
		return ""
	}
	t.LinkID = 0
	raw := a.Signer.sign(p, t)
	b := make([]byte, 0, 3+len(raw)*8/5+1+len(a.Domain))
	b = append(b, byte(p), '-')
	b = mailEncoding.AppendEncode(b, raw)
	if len(b) > maxLocal {
		return ""
	}
	b = append(b, '@')
	return string(append(b, a.Domain...))
}

// Read gives the purpose and the token of a signed address, whatever the case of its letters. ok is false for any other
// address, a forged or altered one among them.
func (a Addresses) Read(address string) (p Purpose, t Token, ok bool) {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	if a.Domain == "" || domain != strings.ToLower(a.Domain) || len(local) < 3 || len(local) > maxLocal || local[1] != '-' {
		return 0, Token{}, false
	}
	if p = Purpose(local[0]); p != Bounce && p != Unsubscribe {
		return 0, Token{}, false
	}
	text := local[2:]
	raw, err := mailEncoding.DecodeString(text)
	// The decoder would skip line ends and pass over bits behind the last byte.
	if err != nil || mailEncoding.EncodeToString(raw) != text {
		return 0, Token{}, false
	}
	t, err = a.Signer.verify(p, raw)
	return p, t, err == nil
}
