package tracking

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"aldine/internal/fault"
)

// Purpose is what a token may be used for; a token made for one is worthless for another.
type Purpose byte

// The purposes, as they stand in the addresses.
const (
	Click       Purpose = 'c'
	Open        Purpose = 'o'
	Unsubscribe Purpose = 'u'
	Bounce      Purpose = 'b' // the return path of a mail
)

// Token names one touch, and for a click the link. CustomerID 0 stands for a preview or a test send: its hits are
// answered but not recorded.
type Token struct {
	CampaignID, StepID, CustomerID, LinkID int64
}

// Signer makes and checks tokens. A token is the number of the key (one byte), the token's numbers as varints and
// ten bytes of HMAC-SHA256, in base64url: 20 to 34 characters for any usual numbers.
type Signer struct {
	keys   map[byte]*sealer
	signer byte
}

// sealer makes codes with one secret. A hash that was used once keeps what it has made of the secret, so hashes are used again.
type sealer struct{ hashes sync.Pool }

type sealing struct {
	hash.Hash
	sum [sha256.Size]byte
}

func newSealer(secret []byte) *sealer {
	secret = bytes.Clone(secret)
	return &sealer{sync.Pool{New: func() any { return &sealing{Hash: hmac.New(sha256.New, secret)} }}}
}

// append puts the code of what b holds behind it.
func (s *sealer) append(b []byte, p Purpose) []byte {
	h := s.hashes.Get().(*sealing)
	h.Reset()
	h.sum[0] = byte(p)
	_, _ = h.Write(h.sum[:1]) // a hash never fails
	_, _ = h.Write(b)
	b = append(b, h.Sum(h.sum[:0])[:macSize]...)
	s.hashes.Put(h)
	return b
}

// Key is a secret with its number; the number goes into the token, so that keys can be replaced while links signed
// with an older one are still out.
type Key struct {
	ID     byte
	Secret []byte
}

// NewSigner gives a signer with the key of number 1 and, for links already out, older keys with numbers 2, 3 ...
// It panics when a key is shorter than 16 bytes. Use [NewKeyedSigner] to give keys numbers of their own.
func NewSigner(key []byte, older ...[]byte) *Signer {
	keys := []Key{{ID: 1, Secret: key}}
	for i, k := range older {
		keys = append(keys, Key{ID: byte(i + 2), Secret: k})
	}
	s, err := NewKeyedSigner(keys...)
	if err != nil {
		panic(err)
	}
	return s
}

// NewKeyedSigner gives a signer; the first key signs, all of them verify. It fails without a key, with two of the
// same number, and with one shorter than 16 bytes.
func NewKeyedSigner(keys ...Key) (*Signer, error) {
	if len(keys) == 0 {
		return nil, errors.New("signing links needs a key")
	}
	s := &Signer{keys: map[byte]*sealer{}, signer: keys[0].ID}
	for _, k := range keys {
		if len(k.Secret) < 16 {
			return nil, fmt.Errorf("signing key %d is too short: it needs at least 16 bytes", k.ID)
		}
		if _, twice := s.keys[k.ID]; twice {
			return nil, fmt.Errorf("two signing keys have the number %d", k.ID)
		}
		s.keys[k.ID] = newSealer(k.Secret)
	}
	return s, nil
}

const (
	macSize  = 10
	maxToken = 64 // characters; four of the largest numbers stay below
)

var encoding = base64.RawURLEncoding.Strict()

// Sign makes the token's text for a purpose.
func (s *Signer) Sign(p Purpose, t Token) string {
	return encoding.EncodeToString(s.sign(p, t))
}

func (s *Signer) sign(p Purpose, t Token) []byte {
	return s.keys[s.signer].append(t.body(s.signer), p)
}

// body is what is signed, with room for the MAC.
func (t Token) body(key byte) []byte {
	b := make([]byte, 1, 32)
	b[0] = key
	for _, n := range [...]int64{t.CampaignID, t.StepID, t.CustomerID, t.LinkID} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// errForged says nothing of what was wrong: whoever tries should not learn from it.
var errForged = fault.New(fault.NotFound, "This link is not valid. It may have been cut off or changed on its way.")

// Verify reads a token that was signed for the purpose. Everything else is the same NotFound error.
func (s *Signer) Verify(p Purpose, text string) (Token, error) {
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return Token{}, errForged
	}
	b, err := encoding.DecodeString(text)
	if err != nil {
		return Token{}, errForged
	}
	return s.verify(p, b)
}

func (s *Signer) verify(p Purpose, b []byte) (Token, error) {
	if len(b) < 1+4+macSize {
		return Token{}, errForged
	}
	body := b[:len(b)-macSize]
	key, ok := s.keys[body[0]]
	if !ok {
		return Token{}, errForged
	}
	var ours [maxToken]byte
	if !hmac.Equal(b, key.append(append(ours[:0], body...), p)) {
		return Token{}, errForged
	}
	var numbers [4]int64
	rest := body[1:]
	for i := range numbers {
		n, size := binary.Uvarint(rest)
		if size <= 0 || int64(n) < 0 {
			return Token{}, errForged
		}
		numbers[i], rest = int64(n), rest[size:]
	}
	if len(rest) != 0 {
		return Token{}, errForged
	}
	return Token{numbers[0], numbers[1], numbers[2], numbers[3]}, nil
}

// URLs makes the tracked addresses. Base is the public address of the installation ("https://mail.example.org").
type URLs struct {
	Base   string
	Signer *Signer
}

// ClickURL is the address that records a click on t.LinkID and leads to the link's target.
func (u URLs) ClickURL(t Token) string { return u.url(Click, t) }

// TrapURL is the address of a link that no person sees. Who opens it is a program, and so are all that it did with the message.
func (u URLs) TrapURL(t Token) string { t.LinkID = 0; return u.url(Click, t) }

// PixelURL is the address of the picture that records an open.
func (u URLs) PixelURL(t Token) string { t.LinkID = 0; return u.url(Open, t) }

// UnsubscribeURL is the address of the unsubscribe page, which also takes one-click requests after RFC 8058.
func (u URLs) UnsubscribeURL(t Token) string { t.LinkID = 0; return u.url(Unsubscribe, t) }

// Leaving gives the two ways out of a touch's mails, UnsubscribeURL and Addresses.Leave, with one signature for both.
func (u URLs) Leaving(a Addresses, t Token) (url, address string) {
	t.LinkID = 0
	raw := u.Signer.sign(Unsubscribe, t)
	return u.written(Unsubscribe, raw), a.written(Unsubscribe, raw)
}

func (u URLs) url(p Purpose, t Token) string { return u.written(p, u.Signer.sign(p, t)) }

func (u URLs) written(p Purpose, raw []byte) string {
	base := strings.TrimSuffix(u.Base, "/")
	b := append(make([]byte, 0, len(base)+len("/t/c/")+maxToken), base...)
	b = append(b, '/', 't', '/', byte(p), '/')
	return string(encoding.AppendEncode(b, raw))
}
