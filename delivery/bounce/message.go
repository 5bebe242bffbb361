package bounce

import (
	"bufio"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"

	"github.com/emersion/go-message/charset"
)

// Limits of what is read of a message.
const (
	maxMessage = 4 << 20
	maxMails   = 100
	maxParts   = 50
	maxDepth   = 5
	maxValue   = 16 << 10 // of a field that is folded
	maxProse   = 64 << 10 // of a part's words
	maxWords   = 2 << 10  // in which a cause is looked for
)

// header holds fields in their order; a field may come more than once.
type header []field

type field struct{ name, value string }

func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) all(name string) (out []string) {
	for _, f := range h {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

// part is one leaf of a message.
type part struct {
	kind   string // media type in lower case
	header header
	text   string // decoded
}

// message is a mail taken apart as far as it can be; machines write worse mails than people do, so nothing is an error.
type message struct {
	header header
	parts  []part
}

// read takes one mail, or those of a mailbox file one after the other.
func read(r io.Reader) ([]*message, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxMessage))
	if err != nil {
		return nil, err
	}
	text := strings.TrimLeft(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n")
	mails := []string{text}
	if strings.HasPrefix(text, "From ") {
		mails = mails[:0]
		for _, mail := range mailboxLine.Split("\n"+text, maxMails) {
			if strings.TrimSpace(mail) != "" {
				mails = append(mails, mail)
			}
		}
	}
	var out []*message
	for _, mail := range mails {
		m := &message{}
		var body string
		m.header, body = split(mail)
		m.walk(m.header, body, 0)
		out = append(out, m)
	}
	return out, nil
}

// mailboxLine parts the mails of a mailbox file.
var mailboxLine = regexp.MustCompile(`\nFrom \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [^\n]*\n`)

// split parts header and body; a line that is no field ends the header.
func split(s string) (header, string) {
	var h header
	for s != "" {
		line, rest, _ := strings.Cut(s, "\n")
		if line == "" {
			return h, rest
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(h) > 0 && len(h[len(h)-1].value) < maxValue {
				h[len(h)-1].value += " " + strings.TrimSpace(line)
			}
			s = rest
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return h, s
		}
		h = append(h, field{strings.ToLower(name), strings.TrimSpace(value)})
		s = rest
	}
	return h, ""
}

func (m *message) walk(h header, body string, depth int) {
	if len(m.parts) >= maxParts {
		return
	}
	kind, params, err := mime.ParseMediaType(h.get("content-type"))
	if kind == "" || err != nil && !strings.Contains(kind, "/") {
		kind = "text/plain"
	}
	boundary := params["boundary"]
	if strings.HasPrefix(kind, "multipart/") && boundary != "" && depth < maxDepth {
		parts := cutParts(body, boundary)
		for _, p := range parts {
			ph, pb := split(p)
			m.walk(ph, pb, depth+1)
		}
		if len(parts) > 0 {
			return
		}
	}
	if kind == "message/partial" || strings.HasPrefix(kind, "multipart/") {
		kind = "text/plain"
	}
	m.parts = append(m.parts, part{kind, h, decode(h, params["charset"], body)})
}

// cutParts finds the parts between the boundary's lines; the end may be missing.
func cutParts(body, boundary string) []string {
	pieces := strings.Split("\n"+body, "\n--"+boundary)
	var out []string
	for _, p := range pieces[1:] {
		if strings.HasPrefix(p, "--") {
			break
		}
		_, p, _ = strings.Cut(p, "\n")
		if out = append(out, p); len(out) == maxParts {
			break
		}
	}
	return out
}

func decode(h header, set, body string) string {
	var r io.Reader = strings.NewReader(body)
	switch strings.ToLower(strings.TrimSpace(h.get("content-transfer-encoding"))) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, &spaceless{r: bufio.NewReader(r)})
	}
	if set != "" && !strings.EqualFold(set, "utf-8") && !strings.EqualFold(set, "us-ascii") {
		if converted, err := charset.Reader(set, r); err == nil {
			r = converted
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxMessage))
	if err != nil && len(b) == 0 { // wrongly named: better as it stands than not at all
		return body
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "?"), "\r\n", "\n")
}

// spaceless drops what does not belong to base64.
type spaceless struct{ r *bufio.Reader }

func (s *spaceless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c, err := s.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if c > ' ' {
			p[n] = c
			n++
		}
	}
	return n, nil
}

// word decodes encoded words of a header's value.
func word(s string) string {
	d := mime.WordDecoder{CharsetReader: charset.Reader}
	if out, err := d.DecodeHeader(s); err == nil {
		return out
	}
	return s
}

// groups reads the blocks of fields of a delivery status, parted by blank lines.
func groups(text string) []header {
	var out []header
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if h, _ := split(strings.Trim(block, "\n") + "\n\n"); len(h) > 0 {
			out = append(out, h)
		}
	}
	return out
}
