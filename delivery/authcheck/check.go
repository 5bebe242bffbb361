package authcheck

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Key is a DKIM key: the selector, and its public half where it is known.
type Key struct {
	Selector string
	Public   crypto.PublicKey
}

// Config is what to look at.
type Config struct {
	Domain       string // of the sender's address
	BounceDomain string // of the return paths; "" where it is Domain
	Keys         []Key
	Relay        []netip.Addr  // addresses from which mails reach receivers; none: not looked at
	Resolver     *net.Resolver // nil: the system's
}

// Finding is what is said of one thing; Mend is empty where all is well.
type Finding struct{ What, State, Mend string }

// Through gives a resolver that asks one name server, host:port.
func Through(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, server)
	}}
}

type checker struct {
	Config
	r *net.Resolver

	spfPasses bool // what comes from the return path's domain can pass SPF
	signs     bool // at least one DKIM key is there for receivers
}

// Check asks and explains. The order is that in which things are best mended.
func Check(ctx context.Context, c Config) []Finding {
	c.Domain, c.BounceDomain = plainName(c.Domain), plainName(c.BounceDomain)
	k := &checker{Config: c, r: c.Resolver}
	if k.r == nil {
		k.r = net.DefaultResolver
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var found []Finding
	found = append(found, k.dkim(ctx)...)
	found = append(found, k.spf(ctx)...)
	found = append(found, k.relay(ctx)...)
	found = append(found, k.dmarc(ctx))
	return append(found, k.mx(ctx)...)
}

func plainName(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
}

// envelope is the domain that SPF looks at.
func (k *checker) envelope() string {
	if k.BounceDomain != "" {
		return k.BounceDomain
	}
	return k.Domain
}

// txt gives the TXT records of a name, none where there is no such name.
func (k *checker) txt(ctx context.Context, name string) ([]string, error) {
	found, err := k.r.LookupTXT(ctx, name+".")
	if absent(err) {
		return nil, nil
	}
	return found, err
}

func absent(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

const askAgain = "see that this machine reaches its name server, and ask again"

func silent(what, name string, err error) Finding {
	words := err.Error()
	var d *net.DNSError
	if errors.As(err, &d) {
		words = d.Err
	}
	return Finding{what, fmt.Sprintf("the name server gave no answer for %s (%s)", name, words), askAgain}
}

// starting gives the records of a version.
func starting(records []string, version string) (out []string) {
	for _, r := range records {
		word, _, _ := strings.Cut(strings.TrimSpace(r), " ")
		if strings.EqualFold(word, version) || strings.HasPrefix(strings.ToLower(word), strings.ToLower(version)+";") {
			out = append(out, strings.TrimSpace(r))
		}
	}
	return out
}

// organisation is the domain under which somebody registered a name.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// tags reads "a=b; c=d". ok is false where something else stands there, or a tag twice.
func tags(s string) (map[string]string, bool) {
	m := map[string]string{}
	ok := true
	for part := range strings.SplitSeq(s, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := m[name]; twice || !found {
			ok = false
		}
		m[name] = strings.TrimSpace(value)
	}
	return m, ok
}

// record writes a record to add.
func record(name, text string) string { return fmt.Sprintf("%s. IN TXT %q", name, text) }
