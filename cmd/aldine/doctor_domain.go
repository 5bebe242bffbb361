package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"aldine/delivery/authcheck"
)

// domain asks DNS about a sender's domain.
func (c *doctorCmd) domain(ctx context.Context, cfg *config) ([]finding, error) {
	if !domainPattern.MatchString(strings.TrimSuffix(c.Domain, ".")) {
		return nil, fmt.Errorf("--domain: %q is not a domain such as shop.example", c.Domain)
	}
	check := authcheck.Config{Domain: c.Domain, BounceDomain: cfg.BounceDomain}
	if c.Resolver != "" {
		if _, _, err := net.SplitHostPort(c.Resolver); err != nil {
			return nil, fmt.Errorf("--resolver: %q is not host:port, such as 9.9.9.9:53", c.Resolver)
		}
		check.Resolver = authcheck.Through(c.Resolver)
	}
	for _, a := range c.Relay {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			return nil, fmt.Errorf("--relay: %q is not an address such as 192.0.2.1", a)
		}
		check.Relay = append(check.Relay, ip)
	}
	if u, err := url.Parse(cfg.SMTPURL); err == nil && cfg.SMTPURL != "" && len(c.Relay) == 0 {
		resolver := check.Resolver
		if resolver == nil {
			resolver = net.DefaultResolver
		}
		if check.Relay, err = resolver.LookupNetIP(ctx, "ip", u.Hostname()); err != nil {
			check.Relay = nil // the check of the mail server itself tells that it is not found
		}
	}
	if cfg.signer != nil {
		for _, k := range cfg.signer.Keys() {
			check.Keys = append(check.Keys, authcheck.Key{Selector: k.Selector, Public: k.Signer.Public()})
		}
	}
	for _, s := range c.Selector {
		check.Keys = append(check.Keys, authcheck.Key{Selector: s})
	}
	var findings []finding
	for _, f := range authcheck.Check(ctx, check) {
		findings = append(findings, finding{f.What, f.State, f.Mend})
	}
	return findings, nil
}

const renewWithin = 7 * 24 * time.Hour

// checkInbound sees whether returned mail is taken in.
func checkInbound(ctx context.Context, cfg *config) finding {
	f := finding{what: "returned mail to " + cfg.BounceDomain}
	if cfg.InboundListen == "" {
		f.state = "taken in through POST /api/v1/inbound/mail only; no listener is configured"
		return f
	}
	f.mend = "start aldine serve with the same ALDINE_INBOUND_LISTEN"
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", cfg.InboundListen)
	if err != nil {
		f.state = "nothing answers at " + cfg.InboundListen
		return f
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // reading fails all the same
	if hello, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(hello, "220 ") {
		f.state = "what answers at " + cfg.InboundListen + " is no mail server"
		return f
	}
	f.state, f.mend = "a listener answers at "+cfg.InboundListen, ""
	if cfg.certificate != nil {
		until := cfg.certificate.Present().Leaf.NotAfter
		f.state += ", with TLS; its certificate holds until " + until.Format(time.DateOnly)
		if time.Until(until) < renewWithin {
			f.mend = "renew the certificate: mail servers may refuse to hand mail over afterwards; the files are read again when they change"
		}
	}
	return f
}
