package content

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/osteele/liquid/parser"
	nethtml "golang.org/x/net/html"

	"aldine/internal/fault"
)

var (
	hrefPattern = regexp.MustCompile(`(?is)[\s"'/]href\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)`)
	barePattern = regexp.MustCompile(`(?i)\bhttps?://[^\s<>"'\x60{}|\\^]+`)
	hostPattern = regexp.MustCompile(`(?i)^https?://[^/?#\s@]+([/?#]|$)`)
)

// span is a stretch of the source that is a trackable URL.
type span struct {
	from, to int
	url      string // as written, HTML entities decoded
}

// mask hides the Liquid tags, byte for byte: what prints becomes x's (it may be part of a URL), what doesn't blanks.
func mask(source string) string {
	var b strings.Builder
	b.Grow(len(source))
	for _, tok := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
		switch tok.Type {
		case parser.TextTokenType:
			b.WriteString(tok.Source)
		case parser.ObjTokenType:
			b.WriteString(strings.Repeat("x", len(tok.Source)))
		case parser.TagTokenType:
			for _, c := range []byte(tok.Source) {
				if c == '\n' {
					b.WriteByte('\n')
				} else {
					b.WriteByte(' ')
				}
			}
		}
	}
	return b.String()
}

// htmlLinks finds the trackable links of an HTML part: <a> and <area> with an http(s) URL whose host is written out.
func htmlLinks(source string) []span {
	masked := mask(source)
	var out []span
	z := nethtml.NewTokenizer(strings.NewReader(masked))
	for at := 0; ; {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return out
		}
		raw := z.Raw()
		if kind == nethtml.StartTagToken || kind == nethtml.SelfClosingTagToken {
			if m := hrefPattern.FindSubmatchIndex(raw); m != nil {
				if name, _ := z.TagName(); string(name) == "a" || string(name) == "area" {
					from, to := at+m[2], at+m[3]
					if q := masked[from]; q == '"' || q == '\'' {
						from, to = from+1, to-1
					}
					if s := strings.TrimSpace(source[from:to]); trackable(s) {
						from += strings.Index(source[from:to], s)
						out = append(out, span{from, from + len(s), html.UnescapeString(s)})
					}
				}
			}
		}
		at += len(raw)
	}
}

// textLinks finds the trackable URLs of a plain text.
func textLinks(source string) []span {
	masked := mask(source)
	var out []span
	for _, m := range barePattern.FindAllStringIndex(masked, -1) {
		from := m[0]
		to := from + len(strings.TrimRight(masked[from:m[1]], ".,;:!?)]"))
		if trackable(source[from:to]) {
			out = append(out, span{from, to, source[from:to]})
		}
	}
	return out
}

// trackable tells whether a URL's target is known well enough to be tracked: whoever clicks must land on the host that
// the marketer wrote, so the host may hold no tags.
func trackable(url string) bool {
	if strings.Contains(url, "{%") {
		return false
	}
	head, _, tagged := strings.Cut(url, "{{")
	if !hostPattern.MatchString(head) {
		return false
	}
	return !tagged || strings.ContainsAny(head[strings.Index(head, "//")+2:], "/?#")
}

// substitute replaces the links of a source by placeholders, which rendering fills.
func substitute(source string, spans []span, links *[]string) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		i := slices.Index(*links, s.url)
		if i < 0 {
			i = len(*links)
			*links = append(*links, s.url)
		}
		b.WriteString(source[at:s.from])
		fmt.Fprintf(&b, "{{ %s }}", placeholder(i))
		at = s.to
	}
	b.WriteString(source[at:])
	return b.String()
}

func placeholder(i int) string { return fmt.Sprintf("link__%d", i) }

// Elements that mail programs drop or that act by themselves, and attributes that hold URLs.
var (
	badElements = []string{"script", "iframe", "frame", "object", "embed", "applet", "form", "base"}
	urlElements = []string{"href", "src", "action", "formaction", "xlink:href", "background", "poster"}
)

// checkHTML finds what has no place in an e-mail: scripts, and links that would run one.
func checkHTML(source string) []fault.Field {
	var out []fault.Field
	fail := func(at int, format string, args ...any) {
		out = append(out, fault.Field{Name: "html", Message: fmt.Sprintf(format, args...), Line: 1 + strings.Count(source[:at], "\n")})
	}
	z := nethtml.NewTokenizer(strings.NewReader(source))
	for at := 0; ; {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return out
		}
		here := at
		at += len(z.Raw())
		if kind != nethtml.StartTagToken && kind != nethtml.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		element := string(name)
		if slices.Contains(badElements, element) {
			fail(here, "<%s> has no place in an e-mail", element)
		}
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			k, v := string(key), string(value)
			switch {
			case strings.HasPrefix(k, "on"):
				fail(here, "%s runs a script, which has no place in an e-mail", cut(k, 30))
			case slices.Contains(urlElements, k):
				if scheme := badScheme(v, element == "img"); scheme != "" {
					fail(here, "A link must not begin with %s: (use https, http, mailto, tel or sms)", scheme)
				}
			case element == "meta" && k == "http-equiv" && strings.EqualFold(v, "refresh"):
				fail(here, "<meta http-equiv=refresh> has no place in an e-mail")
			}
		}
	}
}

// badScheme gives the scheme of a URL where it is not allowed. Browsers skip white space and control characters within
// a scheme, so they are skipped here too.
func badScheme(url string, image bool) string {
	url = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == 0xad || r >= 0x200b && r <= 0x200f || r == 0xfeff {
			return -1
		}
		return r
	}, url)
	scheme, _, found := strings.Cut(url, ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return ""
	}
	switch s := strings.ToLower(scheme); s {
	case "https", "http", "mailto", "tel", "sms", "":
		return ""
	case "cid", "data":
		if image {
			return ""
		}
		return s
	default:
		return cut(s, 30)
	}
}
