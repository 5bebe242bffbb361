package authcheck

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"aldine/delivery/email"
)

func (k *checker) dkim(ctx context.Context) []Finding {
	if len(k.Keys) == 0 {
		return []Finding{{"DKIM", "no key is configured here, so nothing signs mails unless your mail server does",
			"make a key with aldine dkim key --selector s1 --domain " + k.Domain + ", or name the selector of your mail server's signature with --selector"}}
	}
	var found []Finding
	for _, key := range k.Keys {
		f := k.dkimKey(ctx, key)
		if f.Mend == "" {
			k.signs = true
		}
		found = append(found, f)
	}
	return found
}

func (k *checker) dkimKey(ctx context.Context, key Key) Finding {
	name := key.Selector + "._domainkey." + k.Domain
	f := Finding{What: "DKIM key " + key.Selector}
	want := ""
	f.Mend = "publish the record that belongs to the key; aldine dkim key prints it for a new one"
	if key.Public != nil {
		if text, err := email.DKIMRecord(key.Public); err == nil {
			want = record(name, text)
			f.Mend = "replace it by " + want
		}
	}
	all, err := k.txt(ctx, name)
	if err != nil {
		return silent(f.What, name, err)
	}
	switch len(all) {
	case 0:
		f.State = "there is no record at " + name
		if want != "" {
			f.Mend = "add " + want
		}
		return f
	case 1:
	default:
		f.State = fmt.Sprintf("%s has %d records: receivers may take any of them", name, len(all))
		f.Mend = "leave only the right one"
		return f
	}
	public, state, good := dkimRecord(all[0])
	f.State = state
	if good && key.Public != nil && !same(public, key.Public) {
		f.State, good = "the record belongs to another key than the one that signs here, so every signature fails", false
	}
	if good {
		f.Mend = ""
	}
	return f
}

func same(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// dkimRecord reads a key record.
func dkimRecord(text string) (public crypto.PublicKey, state string, good bool) {
	t, ok := tags(text)
	if v, there := t["v"]; !ok || there && v != "DKIM1" {
		return nil, fmt.Sprintf("%q is not a DKIM record", text), false
	}
	p, there := t["p"]
	if !there {
		return nil, "the record has no key in it (p=)", false
	}
	if p == "" {
		return nil, "the key is revoked: p= is empty", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(p), ""))
	if err != nil {
		return nil, "the key in the record is damaged: it is not base64 (a line of it may be missing)", false
	}
	notes := ""
	switch kind := strings.ToLower(t["k"]); kind {
	case "", "rsa":
		key, err := x509.ParsePKIXPublicKey(raw)
		if err != nil {
			key, err = x509.ParsePKCS1PublicKey(raw)
		}
		r, ok := key.(*rsa.PublicKey)
		if err != nil || !ok {
			return nil, "the key in the record is damaged: it is not an RSA key", false
		}
		if r.N.BitLen() < 1024 {
			return nil, fmt.Sprintf("an RSA key of %d bits is not believed any more", r.N.BitLen()), false
		}
		if r.N.BitLen() < 2048 {
			notes = "; 2048 would be better"
		}
		public, state = r, fmt.Sprintf("RSA, %d bits", r.N.BitLen())
	case "ed25519":
		if len(raw) != ed25519.PublicKeySize {
			return nil, "the key in the record is damaged: it is not an Ed25519 key", false
		}
		public, state = ed25519.PublicKey(raw), "Ed25519 (some providers do not know it yet: sign with an RSA key as well)"
	default:
		return nil, fmt.Sprintf("the record's kind of key, %q, is not known", kind), false
	}
	list := func(s string) []string { return strings.Split(strings.ReplaceAll(s, " ", ""), ":") }
	if h, there := t["h"]; there && !slices.Contains(list(h), "sha256") {
		return nil, "the record does not allow SHA-256 (h=)", false
	}
	if s, there := t["s"]; there && !slices.Contains(list(s), "*") && !slices.Contains(list(s), "email") {
		return nil, "the key is not meant for e-mail (s=)", false
	}
	if slices.Contains(list(t["t"]), "y") {
		notes += "; marked as a test (t=y): some receivers pass over the signature"
	}
	return public, state + notes, true
}
