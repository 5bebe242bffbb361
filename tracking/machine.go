package tracking

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

// agents are words that programs which fetch links by themselves have in their names: general ones first, then
// libraries, then image proxies and security scanners of mail services, then programs that name themselves otherwise.
// The share of known crawlers that they recognise is measured by TestMachineKnowsCrawlers.
var agents = regexp.MustCompile(`(?i)bot|crawl|spider|spyder|slurp|scan|fetch|preview|prefetch|proxy|monitor|check|validat|` +
	`archiv|scrap|harvest|index|search|feed|rss|reader|parser|probe|survey|analy[sz]|audit|uptime|pingdom|headless|phantom|` +
	`curl|wget|python|perl|ruby|java/|php|go-http|okhttp|httpclient|http_|libwww|lwp|axios|node-fetch|guzzle|aiohttp|winhttp|urllib|` +
	`barracuda|proofpoint|mimecast|symantec|fireeye|ironport|safelinks|trend micro|` +
	`facebookexternalhit|whatsapp|skypeuri|embedly|nutch|google-|-google|googleother|appengine|lighthouse|screenshot|synthetic|webhook|` +
	`selenium|playwright|puppeteer|electron|verify|inspector|openvas|generator|finder|agent|optimizer|sitemap|favicon|printfriendly|splash|` +
	`https?://|\bwww\.|[a-z0-9-]{2,}\.(com|org|io|ai|co|fr|de|net)\b|@`)

// people's programs: browsers introduce themselves as Mozilla or Opera, some mail programs and telephones otherwise.
var peoples = regexp.MustCompile(`(?i)^(mozilla/\d\.\d[ ]*\(|opera/\d|dalvik/|microsoft office|outlook|macoutlook|thunderbird|apple mail|airmail|mail/|` +
	`spark/|evolution|lotus-notes|ucweb|blackberry|nokia|samsung|sonyericsson|lg-|mot-|htc)`)

// "compatible" stands in the names of Internet Explorer and Konqueror, and of programs.
var (
	compatible = regexp.MustCompile(`(?i)\bcompatible\b`)
	explorers  = regexp.MustCompile(`(?i)MSIE|Trident|Konqueror`)
)

// phones whose maker's name looks like a program's.
var notAgents = strings.NewReplacer("cubot", "", "CUBOT", "", "Cubot", "")

// Machine tells why a request was made by a program rather than by a person, or "" where nothing says so.
// (A hit within two seconds of sending counts as a program's as well, unless it was made on this machine; that is decided
// when it is stored.)
func Machine(r *http.Request) string {
	if r.Method == http.MethodHead {
		return "HEAD request"
	}
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v := strings.ToLower(r.Header.Get(name))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "preview") {
			return "prefetched"
		}
	}
	if tools.MatchString(r.UserAgent()) && fromHere(r) {
		return ""
	}
	return knownAgents.why(r.UserAgent())
}

// tools are what people at a shell, and their tests, fetch a link with.
var tools = regexp.MustCompile(`(?i)^(curl|wget|httpie|python|go-http-client|node|java|ruby|perl|libwww|okhttp|axios)\b`)

// fromHere tells whether a request was made on this machine itself, which no scanner of mails is on: somebody tries a
// link out. A request that a proxy passed on was made elsewhere, provided that the proxy says so.
func fromHere(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

func machineAgent(agent string) string {
	switch {
	case strings.TrimSpace(agent) == "":
		return "no user agent"
	case agent == "Mozilla/5.0": // how a mail service fetches pictures ahead of the reader
		return "mail privacy proxy"
	case agents.MatchString(notAgents.Replace(agent)):
		return "known program"
	case !peoples.MatchString(agent), compatible.MatchString(agent) && !explorers.MatchString(agent):
		return "no browser"
	}
	return ""
}
