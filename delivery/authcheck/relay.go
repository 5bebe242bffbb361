package authcheck

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// relay tells whether SPF lets the mail server send, address by address, and whether its name and address lead to each other.
func (k *checker) relay(ctx context.Context) (found []Finding) {
	for _, ip := range k.Relay {
		ip = ip.Unmap()
		f := Finding{What: fmt.Sprintf("SPF for the mail server %s", ip)}
		if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			f.State = "an address that only this network knows; receivers see another one"
			found = append(found, f)
			continue
		}
		e := &spfEval{k: k, ip: ip}
		switch verdict, by := e.check(ctx, k.envelope(), 0); verdict {
		case "+":
			f.State = "covered by " + by
		case "":
			f.State, f.Mend = "cannot be told: "+by, "mend the record first"
		default:
			f.State = fmt.Sprintf("your mail server %s is not covered by the record of %s", ip, k.envelope())
			if by != "" {
				f.State += "; what counts for it is " + by
			}
			f.Mend = fmt.Sprintf("add ip%d:%s to the record, before its all", map[bool]int{true: 4, false: 6}[ip.Is4()], ip)
		}
		found = append(found, f, k.reverse(ctx, ip))
	}
	return found
}

// reverse looks for a name of the address that leads back to it: many receivers refuse mail from others.
func (k *checker) reverse(ctx context.Context, ip netip.Addr) Finding {
	f := Finding{What: fmt.Sprintf("reverse DNS of %s", ip)}
	names, err := k.r.LookupAddr(ctx, ip.String())
	if err != nil && !absent(err) {
		return silent(f.What, ip.String(), err)
	}
	for _, name := range names {
		addresses, err := k.r.LookupNetIP(ctx, "ip", name)
		for _, a := range addresses {
			if err == nil && a.Unmap() == ip {
				f.State = fmt.Sprintf("%s, which leads back; the mail server should say this name in HELO", plainName(name))
				return f
			}
		}
	}
	f.State, f.Mend = "there is no name", "let whoever gave you the address set its PTR record to the mail server's name, the same that it says in HELO"
	if len(names) > 0 {
		f.State = fmt.Sprintf("%s, which does not lead back to the address", plainName(names[0]))
		f.Mend = "give that name an A or AAAA record with the address"
	}
	return f
}

// spfEval asks SPF (RFC 7208, 4.6) for one address.
type spfEval struct {
	k       *checker
	ip      netip.Addr
	lookups int
}

// check gives the qualifier of the mechanism that matches, and that mechanism; "?" and nothing where none does, "" and why where the record
// cannot be followed.
func (e *spfEval) check(ctx context.Context, domain string, depth int) (verdict, by string) {
	all, err := e.k.txt(ctx, domain)
	records := starting(all, "v=spf1")
	switch {
	case err != nil:
		return "", silent("", domain, err).State
	case len(records) != 1 || depth > maxLookups:
		return "", fmt.Sprintf("%s has %d SPF records", domain, len(records))
	}
	redirect := ""
	for _, t := range strings.Fields(records[0])[1:] {
		kind, _, fault := spfTerm(t)
		if fault != "" {
			return "", fmt.Sprintf("%q in the record of %s: %s", t, domain, fault)
		}
		value := strings.ToLower(strings.TrimLeft(t, "+-~?"))[len(kind):]
		switch kind {
		case "include", "a", "mx", "exists", "ptr", "redirect":
			if kind != "redirect" {
				e.lookups++
			}
			if e.lookups > maxLookups {
				return "", fmt.Sprintf("receivers stop after %d look-ups, before they come to the address", maxLookups)
			}
		}
		hit := false
		switch kind {
		case "all":
			hit = true
		case "ip4", "ip6":
			hit = within(e.ip, strings.TrimPrefix(value, ":"))
		case "a", "mx":
			hit, err = e.hosts(ctx, kind, domain, value)
		case "include":
			inner, why := e.check(ctx, plainName(strings.TrimPrefix(value, ":")), depth+1)
			if inner == "" {
				return "", why
			}
			if hit = inner == "+"; hit {
				t += ", by " + why
			}
		case "redirect":
			redirect = plainName(strings.TrimPrefix(value, "="))
		}
		if err != nil {
			return "", silent("", domain, err).State
		}
		if hit {
			return qualifier(t), fmt.Sprintf("%s of %s", t, domain)
		}
	}
	if redirect != "" {
		if e.lookups++; e.lookups > maxLookups {
			return "", fmt.Sprintf("receivers stop after %d look-ups, before they come to the address", maxLookups)
		}
		return e.check(ctx, redirect, depth+1)
	}
	return "?", ""
}

// hosts tells whether the address is one of a name's, or of its mail servers'; value is ":name/24//64" with nothing of it needed.
func (e *spfEval) hosts(ctx context.Context, kind, domain, value string) (bool, error) {
	name, sizes, _ := strings.Cut(strings.TrimPrefix(value, ":"), "/")
	if name == "" {
		name = domain
	}
	four, six, _ := strings.Cut(sizes, "/")
	six = strings.TrimPrefix(six, "/")
	size := map[bool]string{true: four, false: six}[e.ip.Is4()]
	names := []string{name}
	if kind == "mx" {
		list, err := e.k.r.LookupMX(ctx, name+".")
		if err != nil && !absent(err) {
			return false, err
		}
		names = nil
		for _, m := range list[:min(len(list), maxLookups)] {
			names = append(names, plainName(m.Host))
		}
	}
	for _, n := range names {
		addresses, err := e.k.r.LookupNetIP(ctx, "ip", n+".")
		if err != nil && !absent(err) {
			return false, err
		}
		for _, a := range addresses {
			if a = a.Unmap(); a == e.ip || size != "" && within(e.ip, a.String()+"/"+size) {
				return true, nil
			}
		}
	}
	return false, nil
}

func within(ip netip.Addr, network string) bool {
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Contains(ip)
	}
	a, err := netip.ParseAddr(network)
	return err == nil && a == ip
}
