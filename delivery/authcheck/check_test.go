package authcheck

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"aldine/delivery/email"
	"aldine/internal/dnstest"
)

func newKey(t *testing.T, kind string) (crypto.PublicKey, string) {
	t.Helper()
	_, key, err := email.NewDKIMKey(kind)
	if err != nil {
		t.Fatal(err)
	}
	text, err := email.DKIMRecord(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key.Public(), text
}

// good is a domain as it should be.
func good(keys ...string) dnstest.Records {
	r := dnstest.Records{
		"shop.example":         {"TXT google-site-verification=abc", "TXT v=spf1 mx -all", "MX 10 mail.shop.example"},
		"bounces.shop.example": {"TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:relay.example -all", "MX 10 mail.shop.example"},
		"relay.example":        {"TXT v=spf1 ip4:198.51.100.7 ~all"},
		"mail.shop.example":    {"A 192.0.2.25"},
		"_dmarc.shop.example":  {"TXT v=DMARC1; p=reject; rua=mailto:dmarc@shop.example"},
	}
	for i, k := range keys {
		r[fmt.Sprintf("s%d._domainkey.shop.example", i+1)] = []string{"TXT " + k}
	}
	return r
}

// told gives the finding whose name begins so.
func told(t *testing.T, c Config, known dnstest.Records, what string) Finding {
	t.Helper()
	c.Resolver = Through(dnstest.Serve(t, known))
	for _, f := range Check(t.Context(), c) {
		if strings.HasPrefix(f.What, what) {
			return f
		}
	}
	t.Fatalf("nothing is said of %s", what)
	return Finding{}
}

func TestAGoodDomain(t *testing.T) {
	t.Parallel()
	one, first := newKey(t, "rsa")
	two, second := newKey(t, "ed25519")
	c := Config{Domain: "Shop.example.", BounceDomain: "bounces.shop.example", Keys: []Key{{"s1", one}, {"s2", two}},
		Resolver: Through(dnstest.Serve(t, good(first, second)))}
	found := Check(t.Context(), c)
	if len(found) != 6 {
		t.Errorf("%d findings", len(found))
	}
	for _, f := range found {
		if f.Mend != "" {
			t.Errorf("%s: %s; to mend it: %s", f.What, f.State, f.Mend)
		}
	}
	if s := found[3].State; !strings.Contains(s, "both DKIM and SPF speak for shop.example") {
		t.Error(s)
	}
}

func TestSPF(t *testing.T) {
	t.Parallel()
	many := dnstest.Records{}
	for i := range 11 {
		many[fmt.Sprintf("i%d.example", i)] = []string{"TXT v=spf1 ip4:192.0.2.1 -all"}
	}
	includes := func(n int) string {
		s := "v=spf1"
		for i := range n {
			s += fmt.Sprintf(" include:i%d.example", i)
		}
		return s + " -all"
	}
	nested := dnstest.Records{"a.example": {"TXT v=spf1 a mx exists:%{i}.x.example include:b.example"}, "b.example": {"TXT v=spf1 a:1.example a:2.example mx:3.example redirect=c.example"},
		"c.example": {"TXT v=spf1 a a:x.example mx ptr -all"}, "loop.example": {"TXT v=spf1 include:loop.example -all"}, "open.example": {"TXT v=spf1 +all"},
		"fails.example": {"FAIL"}}
	for _, c := range []struct{ records, state, mend string }{
		{"", "no record", "v=spf1 include:"},
		{"TXT v=spf1 -all", "0 of 10", ""},
		{"TXT v=spf1 ~all", "0 of 10", ""},
		{"TXT V=SPF1 A MX -ALL", "2 of 10", ""},
		{"TXT v=spf10 -all", "no record", "add"},
		{"TXT v=spf1 -all|TXT v=spf1 mx -all", "2 SPF records", "join"},
		{"TXT v=spf1 +all", "+all", "lets everybody"},
		{"TXT v=spf1 mx all", "1 of 10", "lets everybody"},
		{"TXT v=spf1 ?all", "?all", "-all"},
		{"TXT v=spf1 mx", "1 of 10", "-all"},
		{"TXT v=spf1 include:open.example -all", "1 of 10", ""}, // another's +all only counts where it is followed for good
		{"TXT v=spf1 redirect=open.example", "1 of 10", "lets everybody"},
		{"TXT v=spf1 redirect=c.example", "5 of 10", ""},
		{"TXT v=spf1 redirect=nothing.example", "which has none", "correct"},
		{"TXT v=spf1 ipv4:192.0.2.1 -all", "no such word", "correct"},
		{"TXT v=spf1 ip4:192.0.2.300 -all", "IPv4", "correct"},
		{"TXT v=spf1 ip4:2001:db8::1 -all", "IPv4", "correct"},
		{"TXT v=spf1 ip6:2001:db8::1/64 -all", "0 of 10", ""},
		{"TXT v=spf1 include: -all", "no domain", "correct"},
		{"TXT v=spf1 - -all", "no such word", "correct"},
		{"TXT v=spf1 include:nothing.example -all", "has no SPF record", "correct"},
		{"TXT v=spf1 include:loop.example -all", "leads back", "correct"},
		{"TXT v=spf1 ptr -all", "ptr is slow", ""},
		{"TXT " + includes(10), "10 of 10", ""},
		{"TXT " + includes(11), "11 of 10", "ip4:"},
		{"TXT v=spf1 include:a.example -all", "13 of 10", "ip4:"},
		{"TXT v=spf1 include:fails.example -all", "no answer", "reaches its name server"},
		{"FAIL", "no answer", "reaches its name server"},
	} {
		known := good()
		for _, more := range []dnstest.Records{many, nested} {
			for name, r := range more {
				known[name] = r
			}
		}
		known["bounces.shop.example"] = strings.Split(c.records, "|")
		f := told(t, Config{Domain: "shop.example", BounceDomain: "bounces.shop.example"}, known, "SPF")
		if !strings.Contains(f.State, c.state) || (c.mend == "") != (f.Mend == "") || !strings.Contains(f.Mend, c.mend) {
			t.Errorf("%s:\n%s\nto mend it: %s", c.records, f.State, f.Mend)
		}
	}
}

func TestDKIM(t *testing.T) {
	t.Parallel()
	mine, right := newKey(t, "rsa")
	_, other := newKey(t, "rsa")
	edwards, short := newKey(t, "ed25519")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	old := "k=rsa; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&weak.PublicKey))
	p := right[strings.Index(right, "p=")+2:]
	for _, c := range []struct {
		key                  crypto.PublicKey
		records, state, mend string
	}{
		{mine, "TXT " + right, "RSA, 2048 bits", ""},
		{nil, "TXT " + right, "RSA, 2048 bits", ""},
		{edwards, "TXT " + short, "Ed25519", ""},
		{nil, "TXT " + old, "1024 bits; 2048", ""},
		{mine, "TXT p=" + p, "2048", ""},
		{mine, "TXT v=DKIM1; t=y; p=" + p, "marked as a test", ""},
		{mine, "TXT v=DKIM1; h=sha1:sha256; s=email; p=" + p, "2048", ""},
		{mine, "", "no record", `add s1._domainkey.shop.example. IN TXT "` + right},
		{nil, "", "no record", "publish"},
		{mine, "TXT " + other, "another key", "replace it by s1._domainkey.shop.example"},
		{mine, "TXT " + short, "another key", right},
		{mine, "TXT v=DKIM1; p=", "revoked", right},
		{nil, "TXT v=DKIM1; k=rsa", "no key in it", "publish"},
		{mine, "TXT v=DKIM1; p=" + p[:200], "damaged", right},
		{mine, "TXT v=DKIM1; p=???", "damaged", right},
		{mine, "TXT v=DKIM1; k=ed25519; p=AAAA", "damaged", right},
		{mine, "TXT v=DKIM1; k=dsa; p=AAAA", "not known", right},
		{mine, "TXT v=DKIM1; h=sha1; p=" + p, "SHA-256", right},
		{mine, "TXT v=DKIM1; s=other; p=" + p, "e-mail", right},
		{mine, "TXT hello", "not a DKIM record", right},
		{mine, "TXT v=DKIM2; p=" + p, "not a DKIM record", right},
		{mine, "TXT " + right + "|TXT " + other, "2 records", "only the right one"},
		{mine, "FAIL", "no answer", "name server"},
	} {
		known := good()
		if c.records != "" {
			known["s1._domainkey.shop.example"] = strings.Split(c.records, "|")
		}
		f := told(t, Config{Domain: "shop.example", Keys: []Key{{"s1", c.key}}}, known, "DKIM")
		if !strings.Contains(f.State, c.state) || (c.mend == "") != (f.Mend == "") || !strings.Contains(f.Mend, c.mend) {
			t.Errorf("%.80s:\n%s\nto mend it: %s", c.records, f.State, f.Mend)
		}
	}
	if f := told(t, Config{Domain: "shop.example"}, good(), "DKIM"); !strings.Contains(f.Mend, "aldine dkim key") {
		t.Errorf("%+v", f)
	}
}

func TestDMARC(t *testing.T) {
	t.Parallel()
	_, key := newKey(t, "ed25519")
	const sub = "news.shop.example"
	for _, c := range []struct{ domain, at, record, bounces, state, mend string }{
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=reject; rua=mailto:a@shop.example", "bounces.shop.example", "SPF alone speaks", ""},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1;p=none", "bounces.shop.example", "p=none asks", ""},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=quarantine", "bounces.shop.example", "nobody sends you reports", ""},
		{"shop.example", "_dmarc.shop.example", "", "bounces.shop.example", "no record", `add _dmarc.shop.example. IN TXT "v=DMARC1; p=none`},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=reject|TXT v=DMARC1; p=none", "bounces.shop.example", "2 records", "only one"},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=perhaps", "bounces.shop.example", "cannot be read", "p must be"},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; rua=mailto:x@y", "bounces.shop.example", "cannot be read", "p must be"},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=reject; aspf=s", "bounces.shop.example", "neither", "for aspf=s"},
		{"shop.example", "_dmarc.shop.example", "TXT v=DMARC1; p=reject", "relay.example", "neither", "another domain"},
		{"shop.example", "_dmarc.shop.example", "FAIL", "", "no answer", "name server"},
		{sub, "_dmarc.shop.example", "TXT v=DMARC1; p=reject; sp=none", "bounces.shop.example", "from _dmarc.shop.example); p=none", ""},
	} {
		known := good()
		delete(known, "_dmarc.shop.example")
		if c.record != "" {
			known[c.at] = strings.Split(c.record, "|")
		}
		f := told(t, Config{Domain: c.domain, BounceDomain: c.bounces}, known, "DMARC")
		if !strings.Contains(f.State, c.state) || (c.mend == "") != (f.Mend == "") || !strings.Contains(f.Mend, c.mend) {
			t.Errorf("%s %s:\n%s\nto mend it: %s", c.domain, c.record, f.State, f.Mend)
		}
	}
	known := good(key)
	known["bounces.shop.example"] = []string{"MX 10 mail.shop.example"}
	if f := told(t, Config{Domain: "shop.example", BounceDomain: "bounces.shop.example", Keys: []Key{{Selector: "s1"}}}, known, "DMARC"); !strings.Contains(f.State, "; DKIM speaks") {
		t.Error(f.State)
	}
}

func TestMX(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ bounces, records, state, mend string }{
		{"bounces.shop.example", "MX 10 mail.shop.example", "goes to mail.shop.example", ""},
		{"bounces.shop.example", "A 192.0.2.7", "own address 192.0.2.7", ""},
		{"bounces.shop.example", "MX 10 lost.shop.example", "no address", "for lost.shop.example"},
		{"bounces.shop.example", "MX 0 .", "null MX", "bounces.shop.example. IN MX 10"},
		{"bounces.shop.example", "TXT x", "neither an MX", "bounces.shop.example. IN MX 10"},
		{"bounces.shop.example", "FAIL", "no answer", "name server"},
		{"", "", "no bounce domain", "ALDINE_BOUNCE_DOMAIN"},
		{"shop.example", "MX 10 mail.shop.example", "sender's own", "one of its own"},
	} {
		known := good()
		if c.bounces != "" {
			known[c.bounces] = []string{c.records}
		}
		f := told(t, Config{Domain: "shop.example", BounceDomain: c.bounces}, known, "returned mail")
		if !strings.Contains(f.State, c.state) || (c.mend == "") != (f.Mend == "") || !strings.Contains(f.Mend, c.mend) {
			t.Errorf("%s:\n%s\nto mend it: %s", c.records, f.State, f.Mend)
		}
	}
}
