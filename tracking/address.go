package tracking

import (
	"encoding/base32"
	"strconv"
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
	return a.written(p, a.Signer.sign(p, t))
}

func (a Addresses) written(p Purpose, raw []byte) string {
	if a.Domain == "" {
		return ""
	}
	b := make([]byte, 0, 3+len(raw)*8/5+1+len(a.Domain))
	b = append(b, byte(p), '-')
	b = mailEncoding.AppendEncode(b, raw)
	if len(b) > maxLocal {
		return ""
	}
	b = append(b, '@')
	return string(append(b, a.Domain...))
}

// Marks gives the two marks of a touch's mail by which whatever comes back is known, with one signature for both: its return path,
// "" where no domain is configured, and its Message-ID, without angle brackets, at the sender's domain.
func (a Addresses) Marks(t Token, sender string) (returnPath, messageID string) {
	t.LinkID = 0
	raw := a.Signer.sign(Bounce, t)
	b := make([]byte, 0, 96)
	b = append(strconv.AppendInt(b, t.CampaignID, 10), '.')
	b = append(strconv.AppendInt(b, t.StepID, 10), '.')
	b = append(strconv.AppendInt(b, t.CustomerID, 10), '.')
	proof := append([]byte{raw[0]}, raw[len(raw)-macSize:]...) // key and MAC; what was signed stands before them
	b = append(mailEncoding.AppendEncode(b, proof), '@')
	return a.written(Bounce, raw), string(append(b, sender...))
}

// ReadMessageID reads a Message-ID of ours, with or without angle brackets. ok tells whether it looks like one, which anybody can
// write; proven, that it is ours.
func (s *Signer) ReadMessageID(id string) (t Token, proven, ok bool) {
	local, _, _ := strings.Cut(strings.Trim(id, "<> "), "@")
	parts := strings.Split(local, ".")
	if len(parts) != 3 && len(parts) != 4 { // mails of earlier versions carry no proof
		return Token{}, false, false
	}
	for i, n := range [...]*int64{&t.CampaignID, &t.StepID, &t.CustomerID} {
		var err error
		if *n, err = strconv.ParseInt(parts[i], 10, 64); err != nil || *n <= 0 {
			return Token{}, false, false
		}
	}
	if len(parts) == 3 {
		return t, false, true
	}
	text := strings.ToLower(parts[3])
	proof, err := mailEncoding.DecodeString(text)
	if err != nil || len(proof) != 1+macSize || mailEncoding.EncodeToString(proof) != text {
		return t, false, true
	}
	signed, err := s.verify(Bounce, append(t.body(proof[0]), proof[1:]...))
	return t, err == nil && signed == t, true
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
