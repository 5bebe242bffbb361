package email

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// keyring makes a key file of each kind and gives the signer with what its domain's DNS would say.
func keyring(t testing.TB, kinds ...string) (*DKIM, func(string) ([]string, error)) {
	t.Helper()
	records := map[string]string{}
	var spec []string
	for _, kind := range kinds {
		text, key, err := NewDKIMKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), kind+".pem")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		spec = append(spec, kind+"="+path)
		if records[kind+"._domainkey.shop.example"], err = DKIMRecord(key.Public()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := LoadDKIM(strings.Join(spec, ", "))
	if err != nil {
		t.Fatal(err)
	}
	return d, func(name string) ([]string, error) {
		if r, ok := records[name]; ok {
			return []string{r}, nil
		}
		return nil, errors.New("no such name")
	}
}

// verified gives how many signatures hold, and the first fault.
func verified(t *testing.T, mail []byte, lookup func(string) ([]string, error)) (good int, fault error) {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: lookup})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		if v.Err == nil {
			good++
		} else if fault == nil {
			fault = v.Err
		}
	}
	return good, fault
}

func signedMail(t testing.TB, d *DKIM) []byte {
	t.Helper()
	l := Layout{Subject: []string{"Grüße an ", ""}, Text: []string{"Dear ", ",\n\n.dot\n", ""}, HTML: []string{"<p>Dear ", "</p>"}}
	s, err := NewSkeleton("Shop & Söhne", "news@shop.example", l, LeaveByMail)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := s.Append(nil, &Fields{ID: "1.2.3@shop.example", To: "anna@example.com", UnsubscribeURL: "https://m.shop.example/t/u/" + strings.Repeat("x", 34),
		LeaveAddress: "u-" + strings.Repeat("a", 40) + "@bounces.shop.example", Date: time.Now(),
		Subject: []string{"Anna"}, Text: []string{"Anna", "  \n\n"}, HTML: []string{"Anna"}})
	if err != nil {
		t.Fatal(err)
	}
	if d == nil {
		return mail
	}
	if mail, err = d.Sign(mail, "Shop.example"); err != nil {
		t.Fatal(err)
	}
	return mail
}

func TestSignaturesHold(t *testing.T) {
	t.Parallel()
	d, lookup := keyring(t, "rsa", "ed25519")
	mail := signedMail(t, d)
	if n, err := verified(t, mail, lookup); n != 2 {
		t.Fatalf("%d of 2 signatures hold: %v\n%s", n, err, mail)
	}
	for _, change := range [][2]string{
		{"List-Unsubscribe: <https://m.", "List-Unsubscribe: <https://evil."}, {"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", ""},
		{"mailto:u-aaaa", "mailto:u-bbbb"}, {"To: <anna", "To: <bob"}, {"Message-ID: <1.2.3", "Message-ID: <1.2.4"},
		{"From: ", "From: Evil <evil@evil.example>\r\nFrom: "}, {"MIME-Version: 1.0", "Reply-To: evil@evil.example\r\nMIME-Version: 1.0"},
		{"Dear", "Deer"}, {"Subject: ", "Subject: Re: "},
	} {
		altered := strings.Replace(string(mail), change[0], change[1], 1)
		if altered == string(mail) {
			t.Fatalf("the mail has no %q:\n%s", change[0], mail)
		}
		if n, _ := verified(t, []byte(altered), lookup); n != 0 {
			t.Errorf("%d signatures hold although %q became %q", n, change[0], change[1])
		}
	}
	// What relays do without asking.
	relayed := "Received: from x by y; Tue, 3 Mar 2026 15:00:00 +0000\r\n" + string(mail)
	if n, err := verified(t, []byte(relayed), lookup); n != 2 {
		t.Errorf("after a relay: %d, %v", n, err)
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, body []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, body, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, key, err := NewDKIMKey("rsa")
	if err != nil {
		t.Fatal(err)
	}
	old := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))})
	if d, err := LoadDKIM("a=" + write("old.pem", old, 0o600)); err != nil || !key.Public().(*rsa.PublicKey).Equal(d.Keys()[0].Signer.Public()) {
		t.Errorf("PKCS #1: %v", err)
	}
	fine := write("good.pem", good, 0o600)
	for spec, want := range map[string]string{
		"":                                     "selector=file",
		"s1":                                   "selector=file",
		"s1=" + dir + "/none.pem":              "no such file",
		"s1=" + write("open.pem", good, 0o644): "chmod 600",
		"s1=" + write("junk.pem", []byte("junk"), 0o600):                                                          "not a key in PEM",
		"s1=" + write("cut.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2}}), 0o600): "not a private key",
		"s1=" + fine + ",S1=" + fine: "two keys",
		"s 1=" + fine:                "selector",
	} {
		if _, err := LoadDKIM(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", spec, err, want)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DKIMRecord(weak.Public()); err != nil {
		t.Error(err)
	}
	if _, err := DKIMRecord(crypto.PublicKey("x")); err == nil {
		t.Error("a text is no key")
	}
}

func BenchmarkSign(b *testing.B) {
	for _, kind := range []string{"rsa", "ed25519"} {
		b.Run(kind, func(b *testing.B) {
			d, _ := keyring(b, kind)
			plain := signedMail(b, nil)
			var mail []byte
			for b.Loop() {
				var err error
				if mail, err = d.Sign(append(mail[:0], plain...), "shop.example"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
