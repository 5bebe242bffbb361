package authcheck

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

const maxLookups = 10 // RFC 7208, 4.6.4

// spf looks at the domain of the return path, which is what SPF is about.
func (k *checker) spf(ctx context.Context) []Finding {
	name := k.envelope()
	f := Finding{What: "SPF of " + name}
	w := &spfWalk{k: k, seen: map[string]bool{}}
	text, fault := w.read(ctx, name)
	switch {
	case fault != "":
		f.State, f.Mend = fault, w.mend
	case text == "":
		f.State = "there is no record: nothing says which servers may send for the domain"
		f.Mend = "add, with your mail server in place of the example: " + record(name, "v=spf1 include:your-mail-server.example -all")
	default:
		f.State = fmt.Sprintf("%q, %d of %d look-ups", text, w.lookups, maxLookups)
		switch {
		case w.all == "+":
			f.Mend = "it lets everybody send for the domain: end it with -all instead of " + w.allText
		case w.lookups > maxLookups:
			f.Mend = fmt.Sprintf("receivers stop at %d look-ups and take the record for broken: name networks with ip4: and ip6: instead of some include:, a and mx", maxLookups)
		case w.all == "" || w.all == "?":
			f.Mend = "it says nothing of other servers: end it with -all (or ~all while you try it)"
		default:
			k.spfPasses = true
		}
		if w.ptr {
			f.State += "; ptr is slow and unreliable, better name the networks"
		}
	}
	return []Finding{f}
}

// spfWalk follows a record through what it includes.
type spfWalk struct {
	k       *checker
	seen    map[string]bool
	lookups int
	all     string // qualifier of the all that counts, "" for none
	allText string
	ptr     bool
	mend    string
}

const mendSyntax = "correct the record; receivers take it for broken and pass over all of it"

// read reads the record of a name with all that it includes. fault is what is wrong, with w.mend; text is "" where there is no
// record.
func (w *spfWalk) read(ctx context.Context, name string) (text, fault string) {
	w.mend = mendSyntax
	if w.seen[name] {
		return "", fmt.Sprintf("the record of %s leads back to itself", name)
	}
	w.seen[name] = true
	defer delete(w.seen, name)
	all, err := w.k.txt(ctx, name)
	if err != nil {
		f := silent("", name, err)
		w.mend = f.Mend
		return "", f.State
	}
	found := starting(all, "v=spf1")
	if len(found) == 0 {
		return "", ""
	}
	if len(found) > 1 {
		w.mend = "join them into one; receivers take several for a fault and pass over all of them"
		return "", fmt.Sprintf("%s has %d SPF records: %s", name, len(found), strings.Join(quoteAll(found), ", "))
	}
	redirect := ""
	terms := strings.Fields(found[0])[1:]
	hasAll := false
	for _, t := range terms {
		kind, value, fault := spfTerm(t)
		if fault != "" {
			return "", fmt.Sprintf("%q in the record of %s: %s", t, name, fault)
		}
		if w.lookups > 4*maxLookups { // enough is known
			break
		}
		switch kind {
		case "all":
			if hasAll = true; len(w.seen) == 1 || w.all == "redirected" {
				w.all, w.allText = qualifier(t), t
			}
		case "redirect":
			redirect = value
		case "include":
			w.lookups++
			if fault := w.include(ctx, name, t, value); fault != "" {
				return "", fault
			}
		case "ptr":
			w.ptr = true
			w.lookups++
		case "a", "mx", "exists":
			w.lookups++
		}
	}
	if redirect != "" && !hasAll {
		w.lookups++
		top := len(w.seen) == 1 || w.all == "redirected"
		if top {
			w.all = "redirected" // the other record's all is the one that counts
		}
		next, fault := w.read(ctx, redirect)
		if fault == "" && next == "" {
			fault = fmt.Sprintf("the record of %s leads to %s, which has none", name, redirect)
		}
		if fault != "" {
			return "", fault
		}
		if top && w.all == "redirected" {
			w.all = ""
		}
	}
	return found[0], ""
}

func (w *spfWalk) include(ctx context.Context, name, term, value string) (fault string) {
	if strings.Contains(value, "%") { // filled in for each mail
		return ""
	}
	kept, keptText := w.all, w.allText
	w.all = "included"
	text, fault := w.read(ctx, value)
	w.all, w.allText = kept, keptText
	if fault == "" && text == "" {
		w.mend = mendSyntax
		return fmt.Sprintf("the record of %s has %s, and %s has no SPF record", name, term, value)
	}
	return fault
}

func qualifier(term string) string {
	if strings.ContainsAny(term[:1], "+-~?") {
		return term[:1]
	}
	return "+"
}

// spfTerm reads a mechanism or modifier.
func spfTerm(t string) (kind, value, fault string) {
	if name, v, ok := strings.Cut(t, "="); ok && !strings.ContainsAny(name, ":/") {
		name = strings.ToLower(name)
		if name == "redirect" && v == "" {
			return "", "", "it names no domain"
		}
		return name, plainName(v), "" // unknown modifiers are passed over
	}
	bare := strings.ToLower(strings.TrimLeft(t[:1], "+-~?") + t[1:])
	name, v, colon := strings.Cut(bare, ":")
	name, size, slash := strings.Cut(name, "/")
	switch name {
	case "all":
		if colon || slash {
			return "", "", "all takes nothing behind it"
		}
	case "include", "exists":
		if v == "" {
			return "", "", "it names no domain"
		}
	case "a", "mx", "ptr":
		if colon && v == "" {
			return "", "", "it names no domain"
		}
	case "ip4", "ip6":
		if !colon || slash && size == "" || !network(v, name == "ip4") {
			return "", "", "it is not an address or network of " + map[string]string{"ip4": "IPv4", "ip6": "IPv6"}[name]
		}
	default:
		return "", "", "there is no such word in SPF"
	}
	return name, plainName(v), ""
}

func network(s string, four bool) bool {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Addr().Is4() == four
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4() == four
}

func quoteAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}
