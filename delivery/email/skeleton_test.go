package email

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
)

var layout = Layout{
	Subject: []string{"Grüße an ", " aus ", "!"},
	Text:    []string{"Dear ", ",\n.a line that begins with a dot\n\nhttps://shop.example/?a=1&b=2 ", "\nBye  \n"},
	HTML:    []string{"<html><body><p>Dear ", ",</p>" + strings.Repeat("<p>Ä paragraph = text. </p>", 40) + "<a href=\"", "\">x</a>\n<img src=\"", "\"></body></html>"},
}

func fieldsFor(name string) *Fields {
	return &Fields{ID: "1.2.3@shop.example", To: "anna@example.org", UnsubscribeURL: "https://t.example/t/u/abc", Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Subject: []string{name, "Bad Köln"}, Text: []string{name, "."}, HTML: []string{name, "https://t.example/t/c/abc?x=1", "https://t.example/t/o/abc"}}
}

func readBack(t *testing.T, raw []byte) (header mail.Header, text, html string) {
	t.Helper()
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 || strings.HasPrefix(line, ".") || strings.Contains(line, "\n") {
			t.Errorf("line %q", line)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			break
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(body)
		} else {
			text = string(body)
		}
	}
	return m.Header, text, html
}

func TestSkeletonMakesTheMail(t *testing.T) {
	t.Parallel()
	s, err := NewSkeleton("Der Händler", "shop@shop.example", layout, LeaveByLink)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Anna", "", ".dot", "Łukasz & Söhne = ☂", strings.Repeat("long ", 300), "line\nbreak ", "\x00\x7f"} {
		f := fieldsFor(name)
		raw, err := s.Append([]byte("kept"), f)
		if err != nil {
			t.Fatal(err)
		}
		h, text, html := readBack(t, raw[len("kept"):])
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if want := oneLine("Grüße an " + name + " aus Bad Köln!"); err != nil || subject != want {
			t.Errorf("subject %q, want %q, %v", subject, want, err)
		}
		weaved := func(fixed, values []string) string {
			out := ""
			for i, part := range fixed {
				if out += part; i < len(values) {
					out += values[i]
				}
			}
			return out
		}
		if want := weaved(layout.Text, f.Text); strings.ReplaceAll(text, "\r\n", "\n") != want {
			t.Errorf("text %q, want %q", text, want)
		}
		if want := weaved(layout.HTML, f.HTML); strings.ReplaceAll(html, "\r\n", "\n") != want {
			t.Errorf("html %q, want %q", html, want)
		}
		for field, want := range map[string]string{"To": "<anna@example.org>", "Message-Id": "<1.2.3@shop.example>", "List-Unsubscribe": "<https://t.example/t/u/abc>",
			"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Date": "Sun, 01 Mar 2026 12:00:00 +0000"} {
			if h.Get(field) != want {
				t.Errorf("%s: %q, want %q", field, h.Get(field), want)
			}
		}
		if from, err := h.AddressList("From"); err != nil || from[0].Name != "Der Händler" || from[0].Address != "shop@shop.example" {
			t.Errorf("from %v %v", from, err)
		}
	}
}

func TestSkeletonOfTextAlone(t *testing.T) {
	t.Parallel()
	s, err := NewSkeleton("Shop", "shop@shop.example", Layout{Subject: []string{"Hello"}, Text: []string{"Dear ", "!"}}, LeaveNot)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Append(nil, &Fields{ID: "a@b", To: "anna@example.org", Date: time.Now(), Text: []string{"Anna"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || strings.TrimSpace(string(body)) != "Dear Anna!" || m.Header.Get("List-Unsubscribe") != "" {
		t.Errorf("%q %v", body, err)
	}
}

func TestSkeletonRefusesAddresses(t *testing.T) {
	t.Parallel()
	s, err := NewSkeleton("Shop", "shop@shop.example", layout, LeaveByLink)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"", "anna", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "<a@b.example>", "a b@c.example"} {
		f := fieldsFor("Anna")
		f.To = to
		if _, err := s.Append(nil, f); err == nil {
			t.Errorf("%q is taken", to)
		}
	}
}

func FuzzQuoted(f *testing.F) {
	f.Add("a", "b")
	f.Add(".", " \r\n.")
	f.Add(strings.Repeat("ü", 100), "=\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		normal := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		if strings.Contains(normal(a+"|"+b), "\r") { // alone it is no line break and is written as it is
			return
		}
		raw := appendBody(nil, [][]byte{stretch(a), stretch("|"), stretch(b)}, nil)
		got, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(raw))))
		if err != nil || normal(string(got)) != normal(a+"|"+b) {
			t.Fatalf("%q gives %q: %q, %v", a+"|"+b, raw, got, err)
		}
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > lineLength || strings.HasPrefix(line, ".") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	l := layout
	l.HTML = append([]string(nil), l.HTML...)
	l.HTML[1] += strings.Repeat("<p>A paragraph of text that never changes.</p>\n", 60)
	s, err := NewSkeleton("Shop", "shop@shop.example", l, LeaveByLink)
	if err != nil {
		b.Fatal(err)
	}
	f := fieldsFor("Anna")
	var raw []byte
	for b.Loop() {
		raw, _ = s.Append(raw[:0], f)
	}
	b.SetBytes(int64(len(raw)))
	_ = fmt.Sprint(len(raw))
}
