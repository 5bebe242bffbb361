package web_test

import (
	"bufio"
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aldine/internal/access"
)

func TestVendoredFiles(t *testing.T) {
	t.Parallel()
	file, err := os.Open("static/VENDORED.md")
	must(t, err)
	defer file.Close()
	sums := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) == 6 && strings.HasPrefix(strings.TrimSpace(cells[1]), "vendor/") {
			sums[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[4])
		}
	}
	entries, err := filepath.Glob("static/vendor/*")
	must(t, err)
	if len(entries) < 4 {
		t.Fatalf("only %d vendored files", len(entries))
	}
	for _, name := range entries {
		if strings.HasSuffix(name, "-LICENSE") {
			continue
		}
		body, err := os.ReadFile(name)
		must(t, err)
		sum := sha512.Sum512(body)
		if got := hex.EncodeToString(sum[:]); got != sums[strings.TrimPrefix(name, "static/")] {
			t.Errorf("%s: sha512 %s differs from VENDORED.md", name, got)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.get("/customers").to("/sign-in?next=%2Fcustomers")
	b.get("/").to("/sign-in")
	_, oneTime, err := s.deps.Access.CreateUser(admin(), "anna@example.org", "Anna <b>", access.Admin, "")
	must(t, err)

	p := b.post("/sign-in", "email", "anna@example.org", "password", "wrong").want(422).has("wrong")
	if strings.Contains(p.body, `value="wrong"`) {
		t.Error("the password came back")
	}
	b.post("/sign-in", "email", "anna@example.org", "password", oneTime, "next", "/customers").to("/password")
	b.get("/").to("/password") // nothing else before the password is changed
	b.post("/password", "old_password", oneTime, "password", "short", "again", "short").want(422).has("at least 10 characters")
	b.post("/password", "old_password", oneTime, "password", password, "again", "other").want(422).has("not the same")
	b.post("/password", "old_password", oneTime, "password", password, "again", password).to("/")
	home := b.get("/").want(200).has("Your password is changed.", "Anna <b>")
	if c := home.header.Get("Content-Security-Policy"); !strings.Contains(c, "default-src 'self'") {
		t.Errorf("policy %q", c)
	}
	b.get("/").want(200).hasNot("Your password is changed.")
	b.post("/sign-out").to("/sign-in")
	b.get("/").to("/sign-in")

	var raw int
	must(t, s.pool.QueryRow(t.Context(), `SELECT count(*) FROM sessions WHERE length(token) < 20`).Scan(&raw))
	if raw != 0 {
		t.Error("sessions hold short tokens")
	}
}

func TestSignInDoesNotLeadElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, err := s.deps.Access.CreateUser(admin(), "a@example.org", "A", access.Admin, password)
	must(t, err)
	for _, next := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "/%0d%0aX: y\r\n", "javascript:alert(1)", "/\t/evil.example"} {
		if got := s.browser().post("/sign-in", "email", "a@example.org", "password", password, "next", next).to("/"); got != "/" && !strings.HasPrefix(got, "/%0d") {
			t.Errorf("next=%q leads to %q", next, got)
		}
	}
}

func TestSessionEndsWithItsUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(access.Admin)
	b := s.as(access.Marketer)
	b.get("/").want(200)
	_, err := s.pool.Exec(t.Context(), `UPDATE users SET disabled_at = now() WHERE role = 'marketer'`)
	must(t, err)
	b.get("/").to("/sign-in")
}

func TestNewPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u, _, err := s.deps.Access.CreateUser(admin(), "anna@example.org", "Anna", access.Marketer, password)
	must(t, err)
	here, there := s.browser(), s.browser()
	for _, b := range []*browser{here, there} {
		b.post("/sign-in", "email", "anna@example.org", "password", password).to("/")
		b.get("/").want(200)
	}
	before := here.client.Jar.Cookies(mustURL(t, s.url))[0].Value
	here.post("/password", "old_password", password, "password", password+"2", "again", password+"2").to("/")
	if after := here.client.Jar.Cookies(mustURL(t, s.url))[0].Value; after == before {
		t.Error("the session's token is the old one")
	}
	here.get("/").want(200)
	there.get("/").to("/sign-in")

	_, err = s.deps.Access.ResetPassword(admin(), u.ID) // by an administrator, who does not trust the session either
	must(t, err)
	here.get("/").to("/sign-in")
}

func mustURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	b := newSite(t).as(access.Admin)
	b.do("POST", "/sign-out", "application/x-www-form-urlencoded", strings.NewReader(""), "Sec-Fetch-Site", "cross-site").
		want(http.StatusForbidden).has("another site")
	b.do("POST", "/sign-out", "application/x-www-form-urlencoded", strings.NewReader(""), "Origin", "https://evil.example").
		want(http.StatusForbidden)
	b.get("/").want(200)
}

func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().get("/no/such").to("/sign-in")
	b := s.as(access.Admin)
	b.get("/no/such").want(404).has("Not found", "There is no such page")
	b.get("/api/v1/no-such").want(404)
	b.get("/static/../routes.go").want(404)
	b.get("/static/no.css").want(404)
}

func TestStaticFilesCarryTheirSum(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	p := b.get("/sign-in").want(200)
	n := 0
	for _, tag := range []string{"script", "link"} {
		for _, el := range p.all(tag) {
			address, _ := attr(el, "src")
			if tag == "link" {
				address, _ = attr(el, "href")
			}
			if !strings.HasPrefix(address, "/static/") {
				t.Errorf("%s is not ours", address)
			}
			f := b.get(address).want(200)
			if !strings.Contains(f.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s may not be kept", address)
			}
			n++
		}
	}
	if n < 6 {
		t.Errorf("only %d files", n)
	}
}

func TestTooLargeForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	long := strings.Repeat("x", 5<<20)
	b.post("/sign-in", "email", long).want(http.StatusRequestEntityTooLarge).has("Too large")
	boundary := "multipart/form-data; boundary=b"
	b.do("POST", "/sign-in", boundary, strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"+long+"\r\n--b--\r\n")).
		want(http.StatusRequestEntityTooLarge)
	b.do("POST", "/imports/upload", boundary, strings.NewReader("--b--\r\n")).to("/sign-in")
	two := strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\na,b\r\n", 2) + "--b--\r\n"
	s.as(access.Marketer).do("POST", "/imports/upload", boundary, strings.NewReader(two)).want(422).has("one file at a time")
	if left, err := filepath.Glob(filepath.Join(s.deps.DataDir, "uploads", "*")); err != nil || len(left) != 0 {
		t.Errorf("%v stay behind, %v", left, err)
	}
}

func TestUnknownErrorsRevealNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE segments RENAME TO hidden`)
	must(t, err)
	p := b.get("/segments").want(500).has("Something failed on our side.").hasNot("SQLSTATE", "relation")
	_, number, _ := strings.Cut(p.text(), "Its number is ")
	number, _, _ = strings.Cut(number, ".")
	if len(number) < 8 || strings.Count(s.log.String(), number) != 1 {
		t.Errorf("number %q in\n%s", number, s.log)
	}
}

func TestRetriedJobIsAudited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	var job int64
	must(t, s.pool.QueryRow(t.Context(), `
		INSERT INTO river_job (kind, args, max_attempts, attempt, state, finalized_at) VALUES ('campaign_entry', '{}', 1, 1, 'discarded', now())
		RETURNING id`).Scan(&job))
	b.post("/settings/jobs/" + strconv.FormatInt(job, 10) + "/retry").to("/settings/jobs")
	b.get("/settings/audit").want(200).has("job.retry")
	var state string
	must(t, s.pool.QueryRow(t.Context(), `SELECT state FROM river_job WHERE id = $1`, job).Scan(&state))
	if state != "available" {
		t.Errorf("the job is %s", state)
	}
}
