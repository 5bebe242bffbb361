package authcheck_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"aldine/delivery/authcheck"
	"aldine/internal/dnstest"
)

func TestSPFOfTheRelay(t *testing.T) {
	t.Parallel()
	known := dnstest.Records{
		"relay.example": {"A 192.0.2.1", "AAAA 2001:db8::1"}, "mail.shop.example": {"A 192.0.2.9"}, "1.2.0.192.in-addr.arpa": {"PTR relay.example"}, "9.2.0.192.in-addr.arpa": {"PTR other.example"},
		"other.example": {"A 192.0.2.77"}, "spf.provider.example": {"TXT v=spf1 ip4:192.0.2.0/29 -all"}, "not.provider.example": {"TXT v=spf1 -ip4:192.0.2.1 ?all"},
	}
	for i, c := range []struct{ spf, ip, words, mend string }{
		{"v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.1", "covered by ip4:192.0.2.0/24", ""},
		{"v=spf1 ip4:198.51.100.7 -all", "192.0.2.1", "your mail server 192.0.2.1 is not covered by the record", "add ip4:192.0.2.1"},
		{"v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1", "covered by ip6:2001:db8::/32", ""},
		{"v=spf1 ip6:2001:db8:1::/48 ~all", "2001:db8::1", "not covered", "add ip6:2001:db8::1"},
		{"v=spf1 a:relay.example -all", "192.0.2.1", "covered by a:relay.example", ""},
		{"v=spf1 a:relay.example//64 -all", "2001:db8::77", "covered by a:relay.example//64", ""},
		{"v=spf1 a:relay.example/29 -all", "192.0.2.6", "covered by a:relay.example/29", ""},
		{"v=spf1 mx -all", "192.0.2.9", "covered by mx", ""},
		{"v=spf1 mx -all", "192.0.2.1", "not covered", "add ip4"},
		{"v=spf1 include:spf.provider.example -all", "192.0.2.1", "covered by include:spf.provider.example, by ip4:192.0.2.0/29", ""},
		{"v=spf1 include:not.provider.example -all", "192.0.2.1", "what counts for it is -all", "add ip4"},
		{"v=spf1 redirect=spf.provider.example", "192.0.2.1", "covered by ip4:192.0.2.0/29 of spf.provider.example", ""},
		{"v=spf1 redirect=spf.provider.example", "192.0.2.100", "not covered", "add ip4"},
		{"v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all", "192.0.2.1", "what counts for it is -ip4:192.0.2.1", "add ip4"},
		{"v=spf1 " + strings.Repeat("exists:x.example ", 10) + "a:relay.example -all", "192.0.2.1", "stop after 10 look-ups", "mend"},
		{"v=spf1 ip4:10.0.0.1 -all", "10.0.0.1", "only this network knows", ""},
	} {
		domain := fmt.Sprintf("shop%d.example", i)
		records := dnstest.Records{domain: {"TXT " + c.spf, "MX 10 mail.shop.example"}}
		for name, r := range known {
			records[name] = r
		}
		for _, f := range authcheck.Check(t.Context(), authcheck.Config{Domain: domain, Relay: []netip.Addr{netip.MustParseAddr(c.ip)}, Resolver: authcheck.Through(dnstest.Serve(t, records))}) {
			switch {
			case strings.HasPrefix(f.What, "SPF for"):
				if !strings.Contains(f.State, c.words) || !strings.Contains(f.Mend, c.mend) || c.mend == "" && f.Mend != "" {
					t.Errorf("%s from %s: %+v", c.spf, c.ip, f)
				}
			case strings.HasPrefix(f.What, "reverse DNS of 192.0.2.1:"), f.What == "reverse DNS of 192.0.2.1":
				if f.Mend != "" || !strings.Contains(f.State, "relay.example, which leads back") {
					t.Errorf("%+v", f)
				}
			case f.What == "reverse DNS of 192.0.2.9":
				if !strings.Contains(f.State, "other.example, which does not lead back") || f.Mend == "" {
					t.Errorf("%+v", f)
				}
			}
		}
	}
}
