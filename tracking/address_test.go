package tracking_test

import (
	"math"
	"strings"
	"testing"

	"aldine/tracking"
)

func TestSignedAddresses(t *testing.T) {
	t.Parallel()
	signer := tracking.NewSigner(secret)
	a := tracking.Addresses{Domain: "bounces.shop.example", Signer: signer}
	token := tracking.Token{CampaignID: 123, StepID: 4567, CustomerID: 98_765_432}
	back, leave := a.ReturnPath(token), a.Leave(token)
	urls := tracking.URLs{Base: "https://aldine.example/", Signer: signer}
	if url, address := urls.Leaving(a, token); url != urls.UnsubscribeURL(token) || address != leave {
		t.Errorf("ways out %s, %s", url, address)
	}
	for address, purpose := range map[string]tracking.Purpose{back: tracking.Bounce, leave: tracking.Unsubscribe} {
		for _, written := range []string{address, strings.ToLower(address), strings.ToUpper(address)} {
			if p, got, ok := a.Read(written); !ok || p != purpose || got != token {
				t.Errorf("%s: %c %+v %v", written, p, got, ok)
			}
		}
		if local, _, _ := strings.Cut(address, "@"); len(local) > 64 || strings.Trim(local[2:], "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%s is no local part that every server takes", address)
		}
		// Every single changed, dropped or added character is noticed, the spare bits of the last one among them.
		for i := 2; i < strings.Index(address, "@"); i++ {
			for _, r := range "abcdefghijklmnopqrstuvwxyz234567-=.\n" {
				if altered := address[:i] + string(r) + address[i+1:]; altered != address {
					if _, _, ok := a.Read(altered); ok {
						t.Errorf("%q is taken for %q", altered, address)
					}
				}
				if _, _, ok := a.Read(address[:i] + string(r) + address[i:]); ok {
					t.Errorf("one more %q at %d is taken", r, i)
				}
			}
			if _, _, ok := a.Read(address[:i] + address[i+1:]); ok {
				t.Errorf("one less at %d is taken", i)
			}
		}
	}
	for _, strange := range []string{"", "@", "b-@bounces.shop.example", "b-" + leave[2:], "u-" + back[2:], "c" + back[1:], back[:len(back)-1], strings.Replace(back, "bounces", "other", 1), back + "@x"} {
		if _, _, ok := a.Read(strange); ok {
			t.Errorf("%q is taken", strange)
		}
	}
	if _, _, ok := (tracking.Addresses{Domain: a.Domain, Signer: tracking.NewSigner([]byte("another secret of some length"))}).Read(back); ok {
		t.Error("another installation takes it")
	}
	if none := (tracking.Addresses{Signer: signer}); none.ReturnPath(token) != "" || none.Leave(token) != "" {
		t.Error("without a domain there is no address")
	} else if _, _, ok := none.Read(strings.Replace(back, a.Domain, "", 1)); ok {
		t.Error("an address without a domain is taken")
	}
	huge := tracking.Token{CampaignID: math.MaxInt64, StepID: math.MaxInt64, CustomerID: math.MaxInt64}
	if a.ReturnPath(huge) != "" {
		t.Error("a local part of more than 64 characters is made")
	}
}

func FuzzReadAddress(f *testing.F) {
	a := tracking.Addresses{Domain: "b.example", Signer: tracking.NewSigner(secret)}
	f.Add(a.ReturnPath(tracking.Token{CampaignID: 1, StepID: 2, CustomerID: 3}))
	f.Add("u-@b.example")
	f.Fuzz(func(t *testing.T, s string) {
		p, token, ok := a.Read(s)
		if !ok {
			return
		}
		want := a.ReturnPath(token)
		if p == tracking.Unsubscribe {
			want = a.Leave(token)
		}
		if strings.ToLower(s) != want {
			t.Errorf("%q is read as %q", s, want)
		}
	})
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	old, fresh := tracking.Key{ID: 1, Secret: secret}, tracking.Key{ID: 7, Secret: []byte("another secret of some length")}
	before, err := tracking.NewKeyedSigner(old)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tracking.NewKeyedSigner(fresh, old)
	if err != nil {
		t.Fatal(err)
	}
	token := tracking.Token{CampaignID: 12, StepID: 345, CustomerID: 6_789_012}
	for _, domain := range []string{"bounces.shop.example", ""} {
		a := tracking.Addresses{Domain: domain, Signer: before}
		back, id := a.Marks(token, "shop.example")
		if back != a.ReturnPath(token) || !strings.HasPrefix(id, "12.345.6789012.") || !strings.HasSuffix(id, "@shop.example") {
			t.Errorf("%q %q", back, id)
		}
		for _, written := range []string{id, "<" + id + ">", strings.ToUpper(id)} {
			if got, proven, ok := signer.ReadMessageID(written); got != token || !proven || !ok { // the key was replaced since
				t.Errorf("%s: %+v %v %v", written, got, proven, ok)
			}
		}
		local := strings.TrimSuffix(id, "@shop.example")
		for i := range len(local) {
			for _, r := range "abcdefghijklmnopqrstuvwxyz234567019.\n" {
				if altered := local[:i] + string(r) + local[i+1:]; altered != local {
					if got, proven, _ := signer.ReadMessageID(altered + "@shop.example"); proven {
						t.Errorf("%q proves %+v", altered, got)
					}
				}
			}
		}
	}
	for id, want := range map[string]bool{"12.345.6@shop.example": true, "12.345.6.aaaa@shop.example": true, "": false, "@": false, "a.b.c@x": false, "1.2@x": false, "1.2.3.4.5@x": false, "-1.2.3@x": false, "0.2.3@x": false} {
		if _, proven, ok := signer.ReadMessageID(id); proven || ok != want {
			t.Errorf("%q: %v %v", id, proven, ok)
		}
	}
	if _, proven, _ := tracking.NewSigner([]byte("a third secret of some length")).ReadMessageID("12.345.6.aaaaaaaaaaaaaaaaaa@x"); proven {
		t.Error("nonsense is proof")
	}
}
