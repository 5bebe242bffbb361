package tracking_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"aldine/internal/fault"
	"aldine/tracking"
)

var (
	secret    = []byte("0123456789abcdef0123456789abcdef")
	oldSecret = []byte("fedcba9876543210fedcba9876543210")
	purposes  = []tracking.Purpose{tracking.Click, tracking.Open, tracking.Unsubscribe}
)

func TestTokenRoundTripAndLength(t *testing.T) {
	t.Parallel()
	s := tracking.NewSigner(secret)
	for _, want := range []tracking.Token{
		{}, {CampaignID: 1, StepID: 2, CustomerID: 3, LinkID: 4},
		{CampaignID: 1 << 20, StepID: 1 << 20, CustomerID: 1 << 34, LinkID: 1 << 20},
		{CampaignID: math.MaxInt64, StepID: math.MaxInt64, CustomerID: math.MaxInt64, LinkID: math.MaxInt64},
	} {
		for _, p := range purposes {
			text := s.Sign(p, want)
			if got, err := s.Verify(p, text); err != nil || got != want {
				t.Errorf("%c %v: %v, %v", p, want, got, err)
			}
			if want.CustomerID != math.MaxInt64 && len(text) >= 40 {
				t.Errorf("%v takes %d characters", want, len(text))
			}
		}
	}
}

func TestTokenOfOnePurposeIsWorthlessForAnother(t *testing.T) {
	t.Parallel()
	s := tracking.NewSigner(secret)
	for _, made := range purposes {
		text := s.Sign(made, tracking.Token{CampaignID: 5, StepID: 6, CustomerID: 7})
		for _, used := range purposes {
			if _, err := s.Verify(used, text); (err == nil) != (made == used) {
				t.Errorf("made for %c, used for %c: %v", made, used, err)
			}
		}
	}
}

func TestEveryChangeOfATokenIsSeen(t *testing.T) {
	t.Parallel()
	s := tracking.NewSigner(secret)
	text := s.Sign(tracking.Click, tracking.Token{CampaignID: 12, StepID: 345, CustomerID: 67890, LinkID: 11})
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \n\r.%"
	for i := range text {
		for j := range digits {
			if digits[j] == text[i] {
				continue
			}
			forged := text[:i] + digits[j:j+1] + text[i+1:]
			if token, err := s.Verify(tracking.Click, forged); !fault.Is(err, fault.NotFound) {
				t.Fatalf("%q: %v, %v", forged, token, err)
			}
		}
		for _, forged := range []string{text[:i], text[:i] + "\n" + text[i:], text[:i] + "=" + text[i:]} {
			if _, err := s.Verify(tracking.Click, forged); err == nil {
				t.Fatalf("%q accepted", forged)
			}
		}
	}
	for _, forged := range []string{text + "A", text + text, strings.Repeat("A", 1<<20), "é", text + "=="} {
		if _, err := s.Verify(tracking.Click, forged); err == nil {
			t.Fatalf("%.60q accepted", forged)
		}
	}
}

func TestKeysCanBeReplaced(t *testing.T) {
	t.Parallel()
	token := tracking.Token{CampaignID: 1, StepID: 2, CustomerID: 3}
	before, err := tracking.NewKeyedSigner(tracking.Key{ID: 1, Secret: oldSecret})
	if err != nil {
		t.Fatal(err)
	}
	after, err := tracking.NewKeyedSigner(tracking.Key{ID: 2, Secret: secret}, tracking.Key{ID: 1, Secret: oldSecret})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Verify(tracking.Open, before.Sign(tracking.Open, token)); err != nil || got != token {
		t.Errorf("signed with the old key: %v, %v", got, err)
	}
	if _, err := before.Verify(tracking.Open, after.Sign(tracking.Open, token)); err == nil {
		t.Error("the old signer accepts the new key")
	}
	if _, err := tracking.NewSigner(oldSecret).Verify(tracking.Open, tracking.NewSigner(secret).Sign(tracking.Open, token)); err == nil {
		t.Error("another key under the same number was accepted")
	}
	for name, keys := range map[string][]tracking.Key{
		"none": nil, "short": {{ID: 1, Secret: []byte("short")}}, "twice": {{ID: 1, Secret: secret}, {ID: 1, Secret: oldSecret}},
	} {
		if _, err := tracking.NewKeyedSigner(keys...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	s := tracking.NewSigner(secret)
	u := tracking.URLs{Base: "https://m.example.org/", Signer: s}
	token := tracking.Token{CampaignID: 1, StepID: 2, CustomerID: 3, LinkID: 4}
	text, ok := strings.CutPrefix(u.ClickURL(token), "https://m.example.org/t/c/")
	if got, err := s.Verify(tracking.Click, text); !ok || err != nil || got != token {
		t.Errorf("%s: %v, %v", text, got, err)
	}
	if !strings.HasPrefix(u.PixelURL(token), "https://m.example.org/t/o/") || !strings.HasPrefix(u.UnsubscribeURL(token), "https://m.example.org/t/u/") {
		t.Error(u.PixelURL(token), u.UnsubscribeURL(token))
	}
}

func FuzzVerify(f *testing.F) {
	s := tracking.NewSigner(secret)
	f.Add(s.Sign(tracking.Click, tracking.Token{CampaignID: 1, StepID: 2, CustomerID: 3, LinkID: 4}))
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 25)))
	f.Fuzz(func(t *testing.T, text string) {
		token, err := s.Verify(tracking.Click, text)
		if err != nil {
			if token != (tracking.Token{}) {
				t.Fatalf("%q: %v beside the error", text, token)
			}
			return
		}
		if s.Sign(tracking.Click, token) != text { // one text per token: nothing around it is ignored
			t.Fatalf("%q is read as %v, which is written %q", text, token, s.Sign(tracking.Click, token))
		}
	})
}
