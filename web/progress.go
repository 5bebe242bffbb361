package web

import (
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// progress is how far a long task is, with a guess of the time left. The guess needs two looks at one phase, so the
// page carries the first one along in its poll: the server remembers nothing.
type progress struct {
	Words       string
	Done, Total int64
	Left        string
	Query       string // of the next poll
}

func newProgress(c echo.Context, now time.Time, phase, words string, done, total int64) progress {
	g := progress{Words: words, Done: min(done, max(total, done)), Total: total}
	from, _ := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	at, _ := strconv.ParseInt(c.QueryParam("at"), 10, 64)
	if c.QueryParam("phase") != phase || from > done || at <= 0 || at > now.Unix() {
		from, at = done, now.Unix()
	}
	g.Left = timeLeft(time.Duration(now.Unix()-at)*time.Second, done-from, total-done)
	g.Query = url.Values{"phase": {phase}, "from": {number64(from)}, "at": {number64(at)}}.Encode()
	return g
}

// timeLeft guesses, from what was done in a time, how long the rest takes; "" where it can't be told yet.
func timeLeft(spent time.Duration, done, rest int64) string {
	if spent < 2*time.Second || done <= 0 || rest <= 0 {
		return ""
	}
	left := time.Duration(float64(spent) / float64(done) * float64(rest))
	switch {
	case left < 10*time.Second:
		return "a few seconds left"
	case left < 90*time.Second:
		return "about " + strconv.Itoa(int(left.Seconds()+5)/10*10) + " seconds left"
	case left < 90*time.Minute:
		return "about " + strconv.Itoa(int(left.Minutes()+0.5)) + " minutes left"
	}
	return "about " + strconv.Itoa(int(left.Hours()+0.5)) + " hours left"
}
