package bounce

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxRecipients = 200 // of one message

// Parse reads one message. It gives no report where the message is not a machine's answer; the error is r's alone,
// whatever the message looks like.
func Parse(r io.Reader) ([]Report, error) {
	all, err := read(r)
	if err != nil {
		return nil, err
	}
	var found []Report
	for _, m := range all {
		found = append(found, m.reports()...)
	}
	return found[:min(len(found), maxRecipients)], nil
}

func (m *message) reports() (found []Report) {
	for _, attempt := range []func(*message) []Report{complaints, automatic, notification, service, prose} {
		if found = attempt(m); len(found) > 0 {
			break
		}
	}
	to := ""
	for _, name := range []string{"delivered-to", "x-original-to", "to"} {
		if to = address(m.header.get(name)); to != "" {
			break
		}
	}
	original := m.originalID()
	for i := range found {
		f := &found[i]
		f.Reason, f.To = clip(f.Reason), to
		if f.MessageID == "" {
			f.MessageID = original
		}
	}
	return found
}

// fromMachine tells whether mail servers write so.
func (m *message) fromMachine() bool {
	from := strings.ToLower(m.header.get("from"))
	for _, name := range []string{"mailer-daemon", "postmaster", "mail delivery", "mailerdaemon", "administrator", "mdaemon", "delivery subsystem", "mailadmin", "mail_admin"} {
		if strings.Contains(from, name) {
			return true
		}
	}
	subject := strings.ToLower(word(m.header.get("subject")))
	for _, s := range []string{"undeliver", "returned mail", "delivery status", "delivery fail", "failure notice", "mail delivery", "delivery notification", "not delivered",
		"mail failure", "delivery report", "returned to sender", "non delivery", "nondeliverable", "non remis", "unzustellbar", "message delivery", "could not send message"} {
		if strings.Contains(subject, s) {
			return true
		}
	}
	return strings.TrimSpace(m.header.get("return-path")) == "<>"
}

// notification reads RFC 3464's delivery status.
func notification(m *message) []Report {
	prose := m.prose()
	var found []Report
	for _, p := range m.parts {
		if p.kind != "message/delivery-status" && !(p.kind != "text/rfc822-headers" && p.kind != "message/rfc822" && hasStatus(p.text)) {
			continue
		}
		all := groups(p.text)
		for _, g := range all[:min(len(all), maxRecipients)] {
			if r, ok := recipient(g, m, prose); ok {
				found = append(found, r)
			}
		}
	}
	return found
}

var statusFields = regexp.MustCompile(`(?mi)^(final|original)-recipient:.*\n(?:.+\n)*?(action|status):|^action:.*\n(?:.+\n)*?(final|original)-recipient:`)

func hasStatus(text string) bool { return statusFields.MatchString(text) }

// recipient reads the fields of one recipient.
func recipient(g header, m *message, prose string) (Report, bool) {
	final := address(typed(g.get("final-recipient")))
	given := address(typed(g.get("original-recipient")))
	if x := address(g.get("x-actual-recipient")); x != "" && given == "" {
		given = address(typed(g.get("x-actual-recipient")))
	}
	action := strings.ToLower(strings.TrimSpace(g.get("action")))
	if final == "" && given == "" && action == "" {
		return Report{}, false
	}
	r := Report{Recipient: final}
	if r.Recipient == "" {
		r.Recipient = given
	}
	words := strings.Join(append(g.all("diagnostic-code"), g.all("x-supplementary-info")...), " ")
	r.Reason = typed(words)
	r.Status, r.Code = codes(g.get("status") + " ")
	status, code := codes(r.Reason)
	if code != 0 {
		r.Code = code
	}
	if general(r.Status) && status != "" {
		r.Status = status
	}
	context := around(prose, r.Recipient)
	if r.Reason == "" {
		r.Reason = context
	}
	switch {
	case strings.HasPrefix(action, "deliver"), strings.HasPrefix(action, "relayed"), strings.HasPrefix(action, "expanded"):
		r.Kind = Unknown
		if r.Reason = strings.TrimSpace(action + " " + r.Reason); !strings.HasPrefix(r.Status, "2") {
			r.Status = ""
		}
		return r, true
	case strings.HasPrefix(action, "delayed"):
		r.Kind = Delayed
		return r, true
	}
	if r.judge(r.Reason, context); r.Cause == NoMailbox && refusedMail(m) {
		r.Cause, r.Kind = Other, Soft
	}
	return r, true
}

var (
	dataRefused = regexp.MustCompile(`(?m)^>>> DATA\n<<< 5|\(in reply to end of DATA`)
	noRecipient = regexp.MustCompile(`(?mi)^<<< 503|need rcpt|no valid recipients`)
)

// refusedMail tells whether the server took the address and refused only the mail itself: some recipients' filters then
// say that the user is unknown.
func refusedMail(m *message) bool {
	text := m.prose()
	return dataRefused.MatchString(text) && !noRecipient.MatchString(text)
}

// typed drops the type before a value: "rfc822; x@example.org", "smtp; 550 ...".
func typed(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && len(kind) < 25 && !strings.ContainsAny(strings.TrimSpace(kind), " @<") {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(s)
}

var (
	addressPattern = regexp.MustCompile(`[^\s<>"'(),:;\[\]\\=]+@[A-Za-z0-9\p{L}][A-Za-z0-9.\p{L}-]*[A-Za-z0-9\p{L}]`)
	statusPattern  = regexp.MustCompile(`(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?(?:\s|$)|$)`)
	codePattern    = regexp.MustCompile(`(?:^|[\s:;>\[("'])([45][0-9]{2})(?:[-\s#,:;)\].]|$)`)
)

func address(s string) string {
	return strings.TrimRight(addressPattern.FindString(s), ".")
}

// codes finds the enhanced status and the reply code in a text.
func codes(s string) (status string, code int) {
	if m := statusPattern.FindStringSubmatch(s); m != nil {
		status = m[1]
	}
	for _, m := range codePattern.FindAllStringSubmatch(s, 5) {
		n, _ := strconv.Atoi(m[1])
		if n < 600 && n%100 < 60 {
			return status, n
		}
	}
	return status, 0
}

// general tells whether a status says no more than that it failed.
func general(status string) bool {
	return status == "" || strings.HasSuffix(status, ".0.0") || status == "5.5.0"
}

// judge finds the cause and with it the kind. Words come first: the diagnosis, then what the prose around the address says.
func (r *Report) judge(diagnosis, context string) {
	r.Cause = causeOfWords(diagnosis)
	if r.Cause == "" && !strings.HasPrefix(context, diagnosis) {
		r.Cause = causeOfWords(context)
	}
	if r.Cause == "" {
		r.Cause = causeOfStatus(r.Status, r.Code)
	}
	r.Cause = sure(r.Cause, r.Status, r.Code)
	r.Kind = r.Cause.kind()
}

// prose is what the message says in words before it quotes the mail that came back.
func (m *message) prose() string {
	var b strings.Builder
	for _, p := range m.parts {
		if p.kind == "message/rfc822" || p.kind == "text/rfc822-headers" || p.kind == "message/delivery-status" || p.kind == "message/rfc822-headers" {
			continue
		}
		if !strings.HasPrefix(p.kind, "text/") && !strings.Contains(p.kind, "json") {
			continue
		}
		text := p.text[:min(len(p.text), maxProse)]
		if p.kind == "text/html" {
			if b.Len() > 0 {
				continue
			}
			text = untag(text)
		}
		b.WriteString(text)
		b.WriteString("\n")
		if b.Len() > maxProse {
			break
		}
	}
	return cutQuoted(b.String())
}

var (
	tags     = regexp.MustCompile(`(?s)<(style|script).*?</(style|script)>|<(/?[a-zA-Z!][^<>@]*)>`)
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&nbsp;", " ", "&quot;", `"`, "&#39;", "'")
)

func untag(s string) string { return entities.Replace(tags.ReplaceAllString(s, "\n")) }

// quotes begin what is given of the original mail.
var quotes = regexp.MustCompile(`(?mi)^[\s>*-]*(-{2,}\s*(this is a copy of|the header|original message|below this line is a copy|below is a copy|unsent message|returned message|` +
	`message header|included is a copy|the attached|the following is a copy|the body of the message|message headers|message returned|returned mail|undelivered message|undeliverable)|` +
	`original message (headers )?follows|copy of (the )?(original )?message|(message|the) headers? (of the original message )?(is )?follow|received: (from|by) |original mail as follows|` +
	`the following text was generated during the delivery attempt.*\z)`)

func cutQuoted(s string) string {
	if at := quotes.FindStringIndex(s); at != nil && at[0] > 0 {
		return s[:at[0]]
	}
	return s
}

// around gives the words that stand with an address in prose: its line and those that follow, up to another address.
func around(prose, addr string) string {
	if addr == "" {
		return ""
	}
	lines := strings.Split(prose, "\n")
	best := ""
	for i, line := range lines {
		if !strings.Contains(strings.ToLower(line), strings.ToLower(addr)) {
			continue
		}
		var said []string
		if rest := strings.TrimSpace(strings.Replace(line, addr, "", 1)); strings.Trim(rest, "<>:(). ") != "" {
			said = append(said, rest)
		}
		blanks := 0
		for _, next := range lines[i+1 : min(len(lines), i+15)] {
			t := strings.TrimSpace(next)
			if t == "" {
				if blanks++; blanks > 2 && len(said) > 0 {
					break
				}
				continue
			}
			if other := address(t); other != "" && !strings.EqualFold(other, addr) && strings.Trim(strings.Replace(t, other, "", 1), "<>:(). ") == "" {
				break
			}
			said = append(said, t)
		}
		if text := strings.Join(said, " "); len(text) > len(best) {
			best = text
		}
	}
	return best
}

// originalID finds the Message-ID of the mail that came back.
func (m *message) originalID() string {
	for _, p := range m.parts {
		if p.kind == "message/rfc822" || p.kind == "text/rfc822-headers" || p.kind == "message/rfc822-headers" {
			h, _ := split(p.text)
			if id := h.get("message-id"); id != "" {
				return strings.Trim(id, "<> ")
			}
		}
	}
	own := strings.Trim(m.header.get("message-id"), "<> ")
	for _, p := range m.parts {
		for _, f := range messageID.FindAllStringSubmatch(p.text, 5) {
			if id := f[1]; id != own {
				return id
			}
		}
	}
	return ""
}

var messageID = regexp.MustCompile(`(?mi)^\s*message-id:\s*<([^<>\s]+)>`)

func clip(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	for n, i := 0, 0; i < len(s); n++ {
		if n == 300 {
			return s[:i]
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s
}

// once drops recipients named before.
func once(found []Report) []Report {
	var out []Report
	for _, f := range found {
		if !slices.ContainsFunc(out, func(o Report) bool { return strings.EqualFold(o.Recipient, f.Recipient) }) {
			out = append(out, f)
		}
	}
	return out
}
