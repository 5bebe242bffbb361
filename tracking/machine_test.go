package tracking_test

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"aldine/internal/testdata"
	"aldine/tracking"
)

func machine(agent string) string {
	return tracking.Machine(&http.Request{Method: "GET", Header: http.Header{"User-Agent": {agent}}})
}

func TestMachineKnowsCrawlers(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(testdata.Path(t, "user-agents/crawler-user-agents.json"))
	if err != nil {
		t.Fatal(err)
	}
	var crawlers []struct {
		Pattern   string
		Instances []string
	}
	if err := json.Unmarshal(b, &crawlers); err != nil {
		t.Fatal(err)
	}
	all, known := 0, 0
	for _, c := range crawlers {
		for _, agent := range c.Instances {
			all++
			if machine(agent) != "" {
				known++
			} else {
				t.Log("not recognised:", agent)
			}
		}
	}
	share := float64(known) / float64(all)
	t.Logf("%d of %d user agents of crawlers recognised: %.1f %%", known, all, 100*share)
	if all < 1000 || share < 0.97 {
		t.Errorf("only %.1f %% of %d crawlers recognised", 100*share, all)
	}
}

func TestMachineLeavesPeopleAlone(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{
		browser,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/331.0.665236494 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
		"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; Microsoft Outlook 16.0.17928; ms-office; MSOffice 16)",
		"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/460.0.0.0;]",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.0.0 (iPhone14,5; iOS 17_0; en_US; scale=3.00)",
		"Dalvik/2.1.0 (Linux; U; Android 14; SM-G991B Build/UP1A.231005.007)",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
		"Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
		"Outlook-iOS/711.2620504.prod.iphone (4.2433.0)",
		"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 OPR/114.0.0.0",
	} {
		if why := machine(agent); why != "" {
			t.Errorf("%s taken for a machine: %s", agent, why)
		}
	}
}

func TestMachineByRequest(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*http.Request{
		"head":        {Method: "HEAD", Header: http.Header{"User-Agent": {browser}}},
		"sec-purpose": {Method: "GET", Header: http.Header{"User-Agent": {browser}, "Sec-Purpose": {"prefetch;prerender"}}},
		"purpose":     {Method: "GET", Header: http.Header{"User-Agent": {browser}, "Purpose": {"prefetch"}}},
		"moz":         {Method: "GET", Header: http.Header{"User-Agent": {browser}, "X-Moz": {"prefetch"}}},
		"no agent":    {Method: "GET", Header: http.Header{}},
		"gmail":       {Method: "GET", Header: http.Header{"User-Agent": {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"}}},
		"yahoo":       {Method: "GET", Header: http.Header{"User-Agent": {"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"}}},
	} {
		if tracking.Machine(r) == "" {
			t.Errorf("%s: taken for a person", name)
		}
	}
}

// Who tries a link out at the shell of the machine itself is a person; the same program from elsewhere, or passed on by
// a proxy on this machine, is not.
func TestToolsOnThisMachineArePeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		remote, forwarded, agent string
		person                   bool
	}{
		{"127.0.0.1:4711", "", "curl/8.5.0", true},
		{"[::1]:4711", "", "Python-urllib/3.12", true},
		{"127.0.0.1:4711", "203.0.113.7", "curl/8.5.0", false},
		{"203.0.113.7:4711", "", "curl/8.5.0", false},
		{"127.0.0.1:4711", "", "Googlebot/2.1", false},
	} {
		r := &http.Request{Method: "GET", RemoteAddr: c.remote, Header: http.Header{"User-Agent": {c.agent}}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := tracking.Machine(r) == ""; got != c.person {
			t.Errorf("%+v: a person? %v", c, got)
		}
	}
}
