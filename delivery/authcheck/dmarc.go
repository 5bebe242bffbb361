package authcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// dmarc comes after dkim and spf, which say what can be aligned.
func (k *checker) dmarc(ctx context.Context) Finding {
	f := Finding{What: "DMARC of " + k.Domain}
	name, inherited := "_dmarc."+k.Domain, false
	all, err := k.txt(ctx, name)
	if err != nil {
		return silent(f.What, name, err)
	}
	found := starting(all, "v=DMARC1")
	if org := organisation(k.Domain); len(found) == 0 && org != k.Domain {
		name, inherited = "_dmarc."+org, true
		if all, err = k.txt(ctx, name); err != nil {
			return silent(f.What, name, err)
		}
		found = starting(all, "v=DMARC1")
	}
	example := record("_dmarc."+k.Domain, "v=DMARC1; p=none; rua=mailto:postmaster@"+k.Domain)
	switch len(found) {
	case 0:
		f.State = "there is no record; large mailbox providers refuse bulk mail without one"
		f.Mend = "add " + example + ", and raise p to quarantine and reject once its reports show that your mail passes"
		return f
	case 1:
	default:
		f.State, f.Mend = fmt.Sprintf("%s has %d records, so none counts", name, len(found)), "leave only one"
		return f
	}
	t, ok := tags(found[0])
	policy := strings.ToLower(t["p"])
	if sub := strings.ToLower(t["sp"]); inherited && sub != "" {
		policy = sub
	}
	f.State = fmt.Sprintf("%q", found[0])
	if inherited {
		f.State += " (from " + name + ")"
	}
	switch policy {
	case "none", "quarantine", "reject":
	default:
		ok = false
	}
	if !ok {
		f.State, f.Mend = "the record cannot be read: "+f.State, "correct it; p must be none, quarantine or reject: "+example
		return f
	}
	if policy == "none" {
		f.State += "; p=none asks receivers for reports only: raise it to quarantine and reject once they show that your mail passes"
	}
	if t["rua"] == "" {
		f.State += "; without rua= nobody sends you reports"
	}
	return k.alignment(f, t, policy)
}

// alignment tells whether what proves a mail belongs to the domain that its reader sees.
func (k *checker) alignment(f Finding, t map[string]string, policy string) Finding {
	envelope := k.envelope()
	spf := k.spfPasses && (envelope == k.Domain || !strings.EqualFold(t["aspf"], "s") && organisation(envelope) == organisation(k.Domain))
	switch {
	case k.signs && spf:
		f.State += "; both DKIM and SPF speak for " + k.Domain
	case k.signs:
		f.State += "; DKIM speaks for " + k.Domain
	case spf:
		f.State += "; SPF alone speaks for " + k.Domain + ", which breaks when a mail is forwarded: sign with DKIM too"
	default:
		f.State += "; but neither DKIM nor SPF speaks for " + k.Domain
		f.Mend = "sign with DKIM in the name of " + k.Domain
		if policy != "none" {
			f.Mend += ", or receivers follow your own p=" + policy + " and turn your mail away"
		}
		if k.spfPasses {
			f.Mend += fmt.Sprintf("; SPF is about %s, which is another domain", envelope)
			if organisation(envelope) == organisation(k.Domain) {
				f.Mend += " for aspf=s"
			}
		}
	}
	return f
}

// mx looks where returned mail and answers go.
func (k *checker) mx(ctx context.Context) []Finding {
	answers := k.mailTo(ctx, "answers to "+k.Domain, k.Domain, "add a record for the server that takes your mail: "+k.Domain+". IN MX 10 mail."+k.Domain+".")
	if k.BounceDomain == "" {
		return []Finding{answers, {"returned mail", "no bounce domain is configured: mails come back to the sender's own address, and Aldine does not see them",
			"choose one, such as bounces." + k.Domain + ", set ALDINE_BOUNCE_DOMAIN, and let its mail come to ALDINE_INBOUND_LISTEN or POST /api/v1/inbound/mail"}}
	}
	if k.BounceDomain == k.Domain {
		return []Finding{answers, {"returned mail", "the bounce domain is the sender's own: people's mail would come to Aldine, too",
			"choose one of its own, such as bounces." + k.Domain}}
	}
	return []Finding{answers, k.mailTo(ctx, "returned mail to "+k.BounceDomain, k.BounceDomain,
		"add a record for the server that passes it on to Aldine: "+k.BounceDomain+". IN MX 10 this-server."+organisation(k.BounceDomain)+".")}
}

func (k *checker) mailTo(ctx context.Context, what, domain, mend string) Finding {
	f := Finding{What: what}
	list, err := k.r.LookupMX(ctx, domain+".")
	if err != nil && !absent(err) {
		return silent(what, domain, err)
	}
	if len(list) == 1 && (list[0].Host == "." || list[0].Host == "") {
		f.State, f.Mend = "the domain says that it takes no mail (null MX)", mend
		return f
	}
	if len(list) == 0 {
		at, err := k.r.LookupHost(ctx, domain+".")
		switch {
		case absent(err):
			f.State, f.Mend = "there is neither an MX nor an address: nothing can be delivered", mend
		case err != nil:
			return silent(what, domain, err)
		default:
			f.State = "no MX; mail goes to the domain's own address " + strings.Join(at, ", ")
		}
		return f
	}
	var hosts, lost []string
	for _, m := range list {
		hosts = append(hosts, plainName(m.Host))
		_, err := k.r.LookupHost(ctx, m.Host)
		var d *net.DNSError
		if err != nil && (!errors.As(err, &d) || d.IsNotFound) {
			lost = append(lost, plainName(m.Host))
		}
	}
	f.State = "goes to " + strings.Join(hosts, ", ")
	if len(lost) == len(list) {
		f.State += "; " + strings.Join(lost, ", ") + " has no address"
		f.Mend = "add an address (A or AAAA) for " + lost[0] + ", or name another server"
	}
	return f
}
