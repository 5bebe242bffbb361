package tracking_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aldine/tracking"
)

var anna = tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: 1, LinkID: linkPlain}

func TestClickIsStoredAndRedirected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, _ := w.request("GET", w.urls.ClickURL(anna), browser, "")
	if res.StatusCode != http.StatusFound || res.Header.Get("Location") != "https://shop.example.org/roses?a=1&b=2" || len(res.Cookies()) > 0 {
		t.Fatal(res.Status, res.Header)
	}
	w.want(`SELECT concat_ws(' ', customer_id, kind, campaign_id, step_id, cell_id, channel, link_id, method, machine, detail ->> 'network') FROM responses`,
		"1 click 1 11 31 email 21 token f 127.0.0.0/24")
	w.await(`SELECT args FROM river_job WHERE kind = 'tracking_recorded'`, `{"campaign_id": 1, "customer_ids": "[1]"}`)
	tags := anna
	tags.LinkID = linkTags
	if res, _ := w.request("GET", w.urls.ClickURL(tags), browser, ""); res.Header.Get("Location") != "https://shop.example.org/hello/Anna" {
		t.Error(res.Status, res.Header)
	}
}

func TestForgedAndMixedLinksLeadNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.urls.ClickURL(anna)
	evil, missing := anna, anna
	evil.LinkID, missing.LinkID = linkEvil, 999
	for _, url := range []string{
		good[:len(good)-1] + "!", good + "A", strings.Replace(w.urls.PixelURL(anna), "/t/o/", "/t/c/", 1), strings.Replace(good, "/t/c/", "/t/u/", 1),
		strings.Replace(good, "/t/c/", "/t/o/", 1), w.web.URL + "/t/c/https://evil.example", w.web.URL + "/t/x/abc", w.web.URL + "/t/c/",
		w.urls.ClickURL(evil), w.urls.ClickURL(missing), good + "/more",
	} {
		res, body := w.request("GET", url, browser, "")
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Location") != "" || !strings.Contains(body, "This link does not work") {
			t.Errorf("%s: %s %v\n%s", url, res.Status, res.Header, body)
		}
	}
	res, _ := w.request("POST", strings.Replace(good, "/t/c/", "/t/u/", 1), browser, "List-Unsubscribe=One-Click")
	if res.StatusCode != http.StatusNotFound {
		t.Error("a click's token unsubscribes:", res.Status)
	}
	w.want(`SELECT count(*) FROM responses`, "0")
	w.want(`SELECT count(*) FROM consents WHERE NOT granted`, "0")
}

func TestMachinesAreMarkedAndWakeNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := w.urls.ClickURL(anna)
	if res, _ := w.request("HEAD", url, browser, ""); res.StatusCode != http.StatusFound {
		t.Error(res.Status)
	}
	w.request("GET", url, "curl/8.5.0", "")
	w.request("GET", w.urls.PixelURL(anna), "Mozilla/5.0", "")
	w.now = start.Add(-24*time.Hour + 1500*time.Millisecond) // after the e-mail was sent
	w.request("GET", url, browser, "")
	w.want(`SELECT count(*) FROM responses WHERE machine`, "4")
	w.want(`SELECT count(*) FROM river_job`, "0")
	w.now = start.Add(-24*time.Hour + 2500*time.Millisecond)
	w.request("GET", url, browser, "")
	w.want(`SELECT count(*) FROM responses WHERE NOT machine`, "1")
}

func TestPixelAndStrangeUserAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, body := w.request("GET", w.urls.PixelURL(anna), "Mozilla/5.0 (X\xff\xc0) "+strings.Repeat("ä", 500), "")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/gif" || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") ||
		!strings.HasPrefix(body, "GIF89a") || len(body) != 43 {
		t.Fatal(res.Status, res.Header, len(body))
	}
	w.want(`SELECT kind || ' ' || machine || ' ' || length(detail ->> 'user_agent') FROM responses`, "open false 200")
}

func TestTestSendRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobody := anna
	nobody.CustomerID = 0
	if res, _ := w.request("GET", w.urls.ClickURL(nobody), browser, ""); res.StatusCode != http.StatusFound {
		t.Error(res.Status)
	}
	w.request("GET", w.urls.PixelURL(nobody), browser, "")
	res, body := w.request("POST", w.urls.UnsubscribeURL(nobody), browser, "x=y")
	if res.StatusCode != 200 || !strings.Contains(body, "test message") {
		t.Error(res.Status, body)
	}
	if res, body := w.request("POST", w.urls.UnsubscribeURL(tracking.Token{}), browser, "x=y"); res.StatusCode != 200 || !strings.Contains(body, "test message") {
		t.Error(res.Status, body)
	}
	w.want(`SELECT count(*) FROM responses`, "0")
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := w.urls.UnsubscribeURL(anna)
	for _, method := range []string{"GET", "HEAD"} {
		res, body := w.request(method, url, browser, "")
		if res.StatusCode != 200 || method == "GET" && (!strings.Contains(body, "<form method=\"post\">") || !strings.Contains(body, "Spring &lt;roses&gt;") ||
			!strings.Contains(body, "e-mails")) || len(res.Cookies()) > 0 {
			t.Fatal(method, res.Status, body)
		}
	}
	w.want(`SELECT count(*) FROM consents WHERE NOT granted`, "0") // looking does not act
	for _, body := range []string{"List-Unsubscribe=One-Click", "confirm=yes", "List-Unsubscribe=One-Click"} {
		res, page := w.request("POST", url, "", body)
		if res.StatusCode != 200 || !strings.Contains(page, "no more e-mails") || len(res.Cookies()) > 0 {
			t.Fatal(res.Status, page)
		}
	}
	w.want(`SELECT customer_id || channel FROM consents WHERE NOT granted`, "1email")
	w.want(`SELECT channel || source || granted FROM consent_events`, "emailunsubscribe linkfalse")
	w.want(`SELECT concat_ws(' ', customer_id, kind, campaign_id, step_id, cell_id, channel, method) FROM responses`, "1 unsubscribe 1 11 31 email token")
	// Two share an address: the mail to one of them brings the wish of both.
	for range 2 {
		w.request("POST", w.urls.UnsubscribeURL(tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: 2}), "", "confirm=yes")
	}
	w.want(`SELECT customer_id || channel FROM consents WHERE NOT granted ORDER BY customer_id`, "1email, 2email, 3email")
	w.want(`SELECT customer_id FROM responses ORDER BY customer_id`, "1, 2")
	letter := anna
	letter.StepID = postStep
	w.request("POST", w.urls.UnsubscribeURL(letter), "", "confirm=yes")
	w.want(`SELECT customer_id || channel FROM consents WHERE NOT granted AND channel = 'post'`, "1post")
	if _, page := w.request("GET", w.urls.UnsubscribeURL(letter), browser, ""); !strings.Contains(page, "letters") {
		t.Error(page)
	}
	if res, _ := w.request("DELETE", url, browser, ""); res.StatusCode < 400 {
		t.Error(res.Status)
	}
}

func TestConcurrentHitsShareCommits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 1000
	handler := w.s.Handler()
	var wg sync.WaitGroup
	failed := make(chan int, n)
	for i := range n {
		wg.Go(func() {
			rec := &recorder{header: http.Header{}}
			token := tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: int64(i + 1)}
			r, _ := http.NewRequestWithContext(context.Background(), "GET", w.urls.PixelURL(token), nil)
			r.Header.Set("User-Agent", browser)
			r.RemoteAddr = "[2001:db8:1:2::3]:1234"
			handler.ServeHTTP(rec, r)
			if rec.status != 0 && rec.status != 200 {
				failed <- rec.status
			}
		})
	}
	wg.Wait()
	close(failed)
	for status := range failed {
		t.Fatal("status", status)
	}
	w.want(`SELECT count(DISTINCT customer_id) || ' ' || count(*) || ' ' || min(detail ->> 'network') FROM responses`, "1000 1000 2001:db8:1::/48")
	if c := counter(t, w.stats, "aldine_tracking_commits_total"); c < 1 || c > n/10 {
		t.Errorf("%v commits for %d hits", c, n)
	}
}

func TestClickRedirectsWhenNothingCanBeStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request("GET", w.urls.ClickURL(anna), browser, "") // the link is known now
	w.exec(`ALTER TABLE hit_journal RENAME TO gone`)
	w.exec(`ALTER TABLE responses RENAME TO gone_too`)
	if res, _ := w.request("GET", w.urls.ClickURL(anna), browser, ""); res.StatusCode != http.StatusFound {
		t.Error("click:", res.Status)
	}
	res, body := w.request("GET", w.urls.PixelURL(anna), browser, "")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || strings.Contains(body, "gone") || strings.Contains(body, "SQL") {
		t.Error("pixel:", res.Status, body)
	}
	if res, _ := w.request("POST", w.urls.UnsubscribeURL(anna), browser, "a=b"); res.StatusCode != http.StatusServiceUnavailable {
		t.Error("unsubscribe:", res.Status)
	}
	w.exec(`ALTER TABLE gone RENAME TO hit_journal`)
	w.exec(`ALTER TABLE gone_too RENAME TO responses`)
	w.want(`SELECT count(*) FROM consents WHERE NOT granted`, "0") // all or nothing
	if c := counter(t, w.stats, "aldine_tracking_hits_failed_total"); c != 3 {
		t.Errorf("%v failures counted", c)
	}
	// After the end of the collector the same holds.
	if err := w.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res, _ := w.request("GET", w.urls.ClickURL(anna), browser, ""); res.StatusCode != http.StatusFound {
		t.Error("click after close:", res.Status)
	}
	if res, _ := w.request("GET", w.urls.PixelURL(anna), browser, ""); res.StatusCode != http.StatusServiceUnavailable {
		t.Error("pixel after close:", res.Status)
	}
	w.want(`SELECT count(*) FROM responses`, "1")
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// counter sums a counter over its labels.
func counter(t testing.TB, r *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func BenchmarkHits(b *testing.B) {
	w := newWorld(b)
	handler := w.s.Handler()
	url := w.urls.PixelURL(anna)
	b.SetParallelism(200)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r, _ := http.NewRequestWithContext(context.Background(), "GET", url, nil)
			r.Header.Set("User-Agent", browser)
			handler.ServeHTTP(&recorder{header: http.Header{}}, r)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hits/s")
	b.ReportMetric(float64(b.N)/counter(b, w.stats, "aldine_tracking_commits_total"), "hits/commit")
}
