package bounce

import (
	"bytes"
	"regexp"
	"strings"
)

// Mail is a message as a whole: what a machine reports with it, or what a person writes.
type Mail struct {
	Reports []Report // none where it is not a machine's answer
	Machine bool     // written by a program, whether or not it reports anything that is understood
	Daemon  bool     // a mail server's, that is
	From    string   // the address alone; "" where there is none
	To      []string // Delivered-To, X-Original-To, To
	Subject string
	Refs    []string // Message-IDs that it answers, the latest first
	Text    string   // a person's own words, without what is quoted
}

// Read reads one message. Whatever it looks like, there is no error.
func Read(raw []byte) Mail {
	all, err := read(bytes.NewReader(raw))
	if err != nil || len(all) == 0 {
		return Mail{}
	}
	m := all[0]
	h := m.header
	mail := Mail{Reports: m.reports(), Daemon: m.fromMachine(), From: address(h.get("from")), Subject: clip(word(h.get("subject")))}
	mail.Reports = mail.Reports[:min(len(mail.Reports), maxRecipients)]
	submitted, precedence := strings.ToLower(h.get("auto-submitted")), strings.ToLower(h.get("precedence"))
	mail.Machine = mail.Daemon || submitted != "" && !strings.HasPrefix(submitted, "no") || h.get("list-id") != "" ||
		precedence == "bulk" || precedence == "list" || precedence == "junk"
	for _, name := range []string{"delivered-to", "x-original-to", "to"} {
		for _, v := range h.all(name) {
			if a := address(v); a != "" && len(mail.To) < 10 {
				mail.To = append(mail.To, a)
			}
		}
	}
	for _, id := range idPattern.FindAllStringSubmatch(h.get("in-reply-to")+" "+reversed(h.get("references")), 20) {
		mail.Refs = append(mail.Refs, id[1])
	}
	mail.Text = strings.TrimSpace(ownWords(m.prose()))
	return mail
}

var idPattern = regexp.MustCompile(`<([^<>\s]{1,250})>`)

func reversed(s string) string {
	words := strings.Fields(s)
	for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
		words[i], words[j] = words[j], words[i]
	}
	return strings.Join(words, " ")
}

// earlier begins what an answer quotes.
var earlier = regexp.MustCompile(`(?mi)^(>|-{2,} ?(original|forwarded|urspr|weiter|message d)|_{10,}\s*$|(on|am|le|el|il|op) .{4,120}(wrote|schrieb|écrit|escribió|scritto|schreef).{0,60}:?\s*$|(from|von|de): .+@)`)

// ownWords drops what an answer quotes, and the signature.
func ownWords(s string) string {
	if at := earlier.FindStringIndex(s); at != nil {
		s = s[:at[0]]
	}
	if at := strings.Index("\n"+s, "\n-- \n"); at >= 0 {
		s = s[:max(at-1, 0)]
	}
	return s
}
