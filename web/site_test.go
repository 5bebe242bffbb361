package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"aldine/internal/access"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/web"
)

// site is the whole set of pages on a database of its own, reached over HTTP.
type site struct {
	t    *testing.T
	pool *pgxpool.Pool
	deps web.Deps
	url  string
	log  *bytes.Buffer
}

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const password = "a long enough password"

func newSite(t *testing.T) *site {
	t.Helper()
	pool := pgtest.New(t)
	now := func() time.Time { return start }
	log := &bytes.Buffer{}
	jobs, err := queue.NewInserter(pool)
	must(t, err)
	store := settings.New(pool, now)
	d := web.Deps{Pool: pool, Access: access.New(pool, now), Settings: store, Jobs: jobs, BaseURL: "http://localhost", Now: now,
		Log: slog.New(slog.NewTextHandler(log, nil))}
	wire(t, &d)
	pages, err := web.New(d)
	must(t, err)
	t.Cleanup(pages.Close)
	e := echo.New()
	pages.Register(e)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if t.Failed() && log.Len() > 0 {
			t.Log(log.String())
		}
	})
	return &site{t: t, pool: pool, deps: d, url: server.URL, log: log}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func admin() context.Context {
	return access.With(context.Background(), access.Actor{Kind: "user", Name: "test@example.org", Role: access.Admin, UserID: 1})
}

// browser is one person's browser: it keeps cookies and does not follow redirects by itself.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &browser{s, &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as signs a new user of the role in.
func (s *site) as(role access.Role) *browser {
	s.t.Helper()
	email := fmt.Sprintf("%s-%d@example.org", role, time.Now().UnixNano())
	_, _, err := s.deps.Access.CreateUser(admin(), email, "Person "+string(role), role, password)
	must(s.t, err)
	b := s.browser()
	if p := b.post("/sign-in", "email", email, "password", password); p.status != http.StatusSeeOther {
		s.t.Fatalf("sign-in: %d %s", p.status, p.text())
	}
	return b
}

// page is an answer, parsed.
type page struct {
	t      *testing.T
	path   string
	status int
	header http.Header
	body   string
	root   *html.Node
}

func (b *browser) get(path string) *page { return b.do("GET", path, "", nil) }

func (b *browser) fragment(method, path string, pairs ...string) *page {
	return b.do(method, path, "application/x-www-form-urlencoded", strings.NewReader(values(pairs).Encode()), "HX-Request", "true")
}

func (b *browser) post(path string, pairs ...string) *page {
	return b.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(values(pairs).Encode()))
}

func values(pairs []string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

func (b *browser) do(method, path, contentType string, body io.Reader, headers ...string) *page {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, body)
	must(b.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.client.Do(req)
	must(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.t, err)
	root, err := html.Parse(bytes.NewReader(text))
	must(b.t, err)
	return &page{b.t, method + " " + path, res.StatusCode, res.Header, string(text), root}
}

func (p *page) want(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: status %d, want %d\n%s", p.path, p.status, status, p.text())
	}
	return p
}

// to checks a redirect and gives its target.
func (p *page) to(prefix string) string {
	p.t.Helper()
	p.want(http.StatusSeeOther)
	l := p.header.Get("Location")
	if !strings.HasPrefix(l, prefix) {
		p.t.Fatalf("%s leads to %s, want %s", p.path, l, prefix)
	}
	return l
}

// has checks that each text can be read on the page.
func (p *page) has(texts ...string) *page {
	p.t.Helper()
	all := p.text()
	for _, want := range texts {
		if !strings.Contains(all, want) {
			p.t.Errorf("%s: %q is missing in:\n%s", p.path, want, all)
		}
	}
	return p
}

func (p *page) hasNot(texts ...string) *page {
	p.t.Helper()
	for _, bad := range texts {
		if strings.Contains(p.text(), bad) {
			p.t.Errorf("%s: has %q", p.path, bad)
		}
	}
	return p
}

// text is what a reader sees, with runs of space as one.
func (p *page) text() string { return nodeText(p.root) }

func nodeText(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data + " ")
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style"):
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// all finds the elements with a tag and pairs of attribute and value; a value "*" is any, class matches one class.
func (p *page) all(tag string, attrs ...string) []*html.Node {
	var out []*html.Node
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag && matches(n, attrs) {
			out = append(out, n)
		}
	}
	return out
}

func matches(n *html.Node, attrs []string) bool {
	for i := 0; i+1 < len(attrs); i += 2 {
		value, ok := attr(n, attrs[i])
		switch {
		case !ok:
			return false
		case attrs[i] == "class":
			found := false
			for _, class := range strings.Fields(value) {
				found = found || class == attrs[i+1]
			}
			if !found {
				return false
			}
		case attrs[i+1] != "*" && value != attrs[i+1]:
			return false
		}
	}
	return true
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// one gives the only element, or fails.
func (p *page) one(tag string, attrs ...string) *html.Node {
	p.t.Helper()
	found := p.all(tag, attrs...)
	if len(found) != 1 {
		p.t.Fatalf("%s: %d <%s %v>, want one", p.path, len(found), tag, attrs)
	}
	return found[0]
}
