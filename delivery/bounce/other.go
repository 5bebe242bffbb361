package bounce

import (
	"encoding/json"
	"regexp"
	"strings"
)

// complaints reads feedback reports (RFC 5965) and what some providers send instead.
func complaints(m *message) []Report {
	var who []string
	kind := ""
	for _, p := range m.parts {
		if p.kind != "message/feedback-report" {
			continue
		}
		h := header{}
		for _, g := range groups(p.text) {
			h = append(h, g...)
		}
		if kind = strings.ToLower(h.get("feedback-type")); kind == "" {
			kind = "abuse"
		}
		for _, name := range []string{"original-rcpt-to", "removal-recipient", "original-recipient"} {
			for _, v := range h.all(name) {
				if a := address(v); a != "" {
					who = append(who, a)
				}
			}
		}
	}
	original := m.original()
	if kind == "" {
		if m.header.get("x-hmxmroriginalrecipient") == "" && original.get("x-hmxmroriginalrecipient") == "" {
			return nil
		}
		kind = "abuse"
	}
	if a := address(original.get("x-hmxmroriginalrecipient") + " " + m.header.get("x-hmxmroriginalrecipient")); a != "" && len(who) == 0 {
		who = append(who, a)
	}
	if len(who) == 0 {
		for _, v := range original.all("to") {
			who = append(who, addressPattern.FindAllString(v, maxRecipients)...)
		}
	}
	if len(who) == 0 {
		who = []string{""}
	}
	var found []Report
	for _, a := range who[:min(len(who), maxRecipients)] {
		r := Report{Recipient: a, Kind: Complaint, Reason: kind}
		if kind == "not-spam" || kind == "auth-failure" || kind == "dmarc" {
			r.Kind = Unknown
		}
		found = append(found, r)
	}
	return once(found)
}

// original gives the header of the mail that came back, as far as it was sent along.
func (m *message) original() header {
	for _, p := range m.parts {
		if p.kind == "message/rfc822" || p.kind == "text/rfc822-headers" || p.kind == "message/rfc822-headers" {
			h, _ := split(strings.TrimLeft(p.text, "\n"))
			return h
		}
	}
	return nil
}

var away = regexp.MustCompile(`(?i)^\s*((re|aw)\s*:\s*)?(auto(matic|mated)?[- :]*(reply|response|antwort)|out of (the )?office|abwesen|vacation|on (annual )?leave|away from|réponse automatique|absence|autoreply|auto:|i am away|fuori sede|respuesta autom)`)

// automatic reads replies that a person's mailbox gives (RFC 3834). A report says so too ("auto-generated"), hence only replies.
func automatic(m *message) []Report {
	h := m.header
	submitted := strings.ToLower(h.get("auto-submitted"))
	precedence := strings.ToLower(h.get("precedence"))
	reply := strings.HasPrefix(submitted, "auto-replied") && !m.hasReport() || h.get("x-autoreply") != "" || h.get("x-autorespond") != "" || h.get("x-auto-response-suppress") != "" && away.MatchString(word(h.get("subject"))) ||
		strings.HasPrefix(precedence, "auto_reply") || away.MatchString(word(h.get("subject")))
	if !reply || m.fromMachine() && m.hasReport() {
		return nil
	}
	return []Report{{Recipient: address(h.get("from")), Kind: AutoReply, Reason: word(h.get("subject"))}}
}

func (m *message) hasReport() bool {
	if strings.Contains(strings.ToLower(m.header.get("content-type")), "multipart/report") {
		return true
	}
	for _, p := range m.parts {
		if p.kind == "message/delivery-status" || hasStatus(p.text) {
			return true
		}
	}
	from := strings.ToLower(m.header.get("from"))
	return strings.Contains(from, "mailer-daemon") || strings.Contains(from, "postmaster")
}

// service reads the notifications that a mail service gives as JSON.
func service(m *message) []Report {
	for _, p := range m.parts {
		at := strings.Index(p.text, "{")
		if at < 0 || !strings.Contains(p.text, `"notificationType"`) && !strings.Contains(p.text, `\"notificationType\"`) {
			continue
		}
		if found := readService([]byte(p.text[at:])); len(found) > 0 {
			return found
		}
	}
	return nil
}

func readService(raw []byte) []Report {
	var n struct {
		Message          string `json:"Message"`
		NotificationType string `json:"notificationType"`
		Bounce           struct {
			BounceType        string `json:"bounceType"`
			BounceSubType     string `json:"bounceSubType"`
			BouncedRecipients []struct {
				EmailAddress   string `json:"emailAddress"`
				Status         string `json:"status"`
				DiagnosticCode string `json:"diagnosticCode"`
			} `json:"bouncedRecipients"`
		} `json:"bounce"`
		Complaint struct {
			ComplainedRecipients []struct {
				EmailAddress string `json:"emailAddress"`
			} `json:"complainedRecipients"`
			ComplaintFeedbackType string `json:"complaintFeedbackType"`
		} `json:"complaint"`
		Delivery struct {
			Recipients   []string `json:"recipients"`
			SMTPResponse string   `json:"smtpResponse"`
		} `json:"delivery"`
		Mail struct {
			MessageID string `json:"messageId"`
		} `json:"mail"`
	}
	// Old mail programs broke the JSON's lines.
	raw = []byte(strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r", ""), "\n", ""))
	if json.NewDecoder(strings.NewReader(string(raw))).Decode(&n) != nil {
		return nil
	}
	if n.Message != "" && n.NotificationType == "" {
		if strings.Contains(n.Message, `"Message"`) { // one wrapping is enough
			return nil
		}
		return readService([]byte(n.Message))
	}
	var found []Report
	for _, b := range n.Bounce.BouncedRecipients {
		r := Report{Recipient: b.EmailAddress, Reason: typed(b.DiagnosticCode), MessageID: n.Mail.MessageID}
		r.Status, r.Code = codes(r.Reason)
		if b.Status != "" {
			r.Status = b.Status
		}
		if r.judge(r.Reason, ""); r.Reason == "" {
			r.Reason = strings.ToLower(n.Bounce.BounceType + " " + n.Bounce.BounceSubType)
			if n.Bounce.BounceType == "Permanent" && (n.Bounce.BounceSubType == "General" || n.Bounce.BounceSubType == "NoEmail" || n.Bounce.BounceSubType == "Suppressed") {
				r.Cause, r.Kind = NoMailbox, Hard
			}
		}
		found = append(found, r)
	}
	for _, c := range n.Complaint.ComplainedRecipients {
		kind := n.Complaint.ComplaintFeedbackType
		if kind == "" {
			kind = "abuse"
		}
		found = append(found, Report{Recipient: c.EmailAddress, Kind: Complaint, Reason: kind, MessageID: n.Mail.MessageID})
	}
	for _, a := range n.Delivery.Recipients {
		found = append(found, Report{Recipient: a, Kind: Unknown, Reason: "delivered " + n.Delivery.SMTPResponse, MessageID: n.Mail.MessageID})
	}
	return found
}

var leadingCode = regexp.MustCompile(`^[45][0-9]{2}[ -]([45]\.[0-9]+\.[0-9]+ )?`)

const maxNamed = 50 // recipients that words alone name: each costs a look at all of the words

// prose reads reports that hold nothing but words.
func prose(m *message) []Report {
	if !m.fromMachine() {
		return nil
	}
	text := m.prose()
	own := map[string]bool{}
	for _, name := range []string{"from", "to", "delivered-to", "return-path", "sender"} {
		for _, v := range m.header.all(name) {
			for _, a := range addressPattern.FindAllString(v, 5) {
				own[strings.ToLower(strings.TrimRight(a, "."))] = true
			}
		}
	}
	var who []string
	add := func(s string) {
		for _, a := range addressPattern.FindAllString(s, maxRecipients) {
			if a = strings.TrimRight(a, "."); !own[strings.ToLower(a)] && len(who) < maxNamed {
				who = append(who, a)
			}
		}
	}
	for _, name := range []string{"x-failed-recipients", "x-failed-recipient", "x-actual-recipient", "x-envelope-to"} {
		for _, v := range m.header.all(name) {
			add(v)
		}
	}
	// An address that stands alone on its line, or first on it, is whom the words are about.
	for line := range strings.SplitSeq(text, "\n") {
		t := strings.TrimLeft(strings.TrimSpace(line), "<*-'\"( ")
		if code := leadingCode.FindString(t); code != "" {
			t = strings.TrimLeft(t[len(code):], "<")
		}
		t = strings.TrimPrefix(strings.TrimPrefix(t, "mailto:"), "RCPT To:<")
		if a := addressPattern.FindStringIndex(t); a != nil && a[0] == 0 {
			add(t[:a[1]])
		}
	}
	if len(who) == 0 {
		add(text)
		who = who[:min(len(who), 1)]
	}
	if len(who) == 0 {
		for _, v := range m.original().all("to") {
			add(v)
		}
	}
	if len(who) == 0 {
		for _, p := range m.parts {
			if i := strings.Index(p.text, "\nTo:"); i >= 0 {
				line, _, _ := strings.Cut(p.text[i+1:], "\n")
				add(line)
			}
		}
	}
	var found []Report
	for _, a := range who {
		said := around(text, a)
		if said == "" || causeOfWords(said) == "" {
			said = strings.TrimSpace(said + " " + text)
		}
		said = said[:min(len(said), maxWords)]
		r := Report{Recipient: a, Reason: said}
		r.Status, r.Code = codes(said)
		r.judge(said, word(m.header.get("subject")))
		found = append(found, r)
	}
	if len(found) == 0 && len(strings.TrimSpace(text)) > 0 && m.hasReport() {
		r := Report{Kind: Unknown, Reason: text}
		r.Status, r.Code = codes(text)
		found = append(found, r)
	}
	return once(found)
}
