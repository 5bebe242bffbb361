package pace_test

import (
	"testing"
	"time"

	"aldine/internal/pace"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func parse(t testing.TB, text string) pace.Window {
	t.Helper()
	w, err := pace.ParseWindow(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return w
}

func TestParseWindow(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "always", "always": "always", "0-24": "always", "mon-sun 00:00-24:00": "always",
		"mon-fri 9-20":                 "mon-fri 09:00-20:00",
		" Monday–Friday 9:00–20:30 ":   "mon-fri 09:00-20:30",
		"fri,mon,wed 22:00-06:00":      "mon,wed,fri 22:00-06:00",
		"sat-mon 8-12 local":           "mon,sat,sun 08:00-12:00 local",
		"daily 08:00 - 21:00 LOCAL":    "08:00-21:00 local",
		"18:00-00:00":                  "18:00-24:00",
		"tue wed 7:05-7:06":            "tue,wed 07:05-07:06",
		"mon,tue,wed,thu,fri 9-10":     "mon-fri 09:00-10:00",
		"sun 9-10":                     "sun 09:00-10:00",
		"saturday sunday 10:00-18:00":  "sat,sun 10:00-18:00",
		"monday-monday 10:00-18:00":    "mon 10:00-18:00",
		"sun-sat 10:00-18:00 local":    "10:00-18:00 local",
		"sat-mon 08:00-12:00    local": "mon,sat,sun 08:00-12:00 local",
	} {
		w, err := pace.ParseWindow(in)
		if err != nil || w.String() != want {
			t.Errorf("%q: got %q, %v, want %q", in, w, err, want)
			continue
		}
		if again := parse(t, w.String()); again != w {
			t.Errorf("%q is read as %v", w, again)
		}
	}
	for _, in := range []string{"mon", "9", "mon 9-9", "mon 25-26", "9:60-10", "mo 9-10", "m 9-10", "mondays 9-10", "fri- 9-10", "9-10 berlin", "24-25", "24:30-1", "mon 9-10; tue 9-10",
		"-1-5", "\x00", "mon-fri 09:00-20:00 local local"} {
		if w, err := pace.ParseWindow(in); err == nil {
			t.Errorf("%q was read as %q", in, w)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	const form = "2006-01-02 15:04 -0700"
	for _, c := range []struct{ window, zone, at, next, end string }{
		{"mon-fri 09:00-20:00", "Europe/Berlin", "2026-03-03 15:00 +0000", "2026-03-03 16:00 +0100", "2026-03-03 20:00 +0100"},
		{"mon-fri 09:00-20:00", "Europe/Berlin", "2026-03-06 20:00 +0100", "2026-03-09 09:00 +0100", "2026-03-09 20:00 +0100"}, // Friday evening
		{"fri 22:00-06:00", "Europe/Berlin", "2026-03-07 05:59 +0100", "2026-03-07 05:59 +0100", "2026-03-07 06:00 +0100"},     // Saturday is Friday's night
		{"fri 22:00-06:00", "Europe/Berlin", "2026-03-06 05:59 +0100", "2026-03-06 22:00 +0100", "2026-03-07 06:00 +0100"},     // Thursday's night is none
		{"fri,sat 00:00-24:00", "Europe/Berlin", "2026-03-06 12:00 +0100", "2026-03-06 12:00 +0100", "2026-03-08 00:00 +0100"},
		// Clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
		{"sun 02:30-05:00", "Europe/Berlin", "2026-03-28 12:00 +0100", "2026-03-29 03:00 +0200", "2026-03-29 05:00 +0200"},
		{"sun 02:00-03:00", "Europe/Berlin", "2026-03-28 12:00 +0100", "2026-04-05 02:00 +0200", "2026-04-05 03:00 +0200"}, // no such hour
		{"22:00-02:30", "Europe/Berlin", "2026-03-28 23:00 +0100", "2026-03-28 23:00 +0100", "2026-03-29 03:00 +0200"},
		{"sun 02:30-05:00", "Europe/Berlin", "2026-10-25 00:00 +0200", "2026-10-25 02:30 +0200", "2026-10-25 02:00 +0100"}, // twice
		{"sun 02:30-05:00", "Europe/Berlin", "2026-10-25 02:10 +0100", "2026-10-25 02:30 +0100", "2026-10-25 05:00 +0100"},
		{"09:00-20:00", "America/New_York", "2026-03-08 05:00 +0000", "2026-03-08 09:00 -0400", "2026-03-08 20:00 -0400"},
	} {
		w, l := parse(t, c.window), zone(t, c.zone)
		at, err := time.Parse(form, c.at)
		if err != nil {
			t.Fatal(err)
		}
		next := w.Next(at, l)
		if got := next.In(l).Format(form); got != c.next {
			t.Errorf("%s at %s: opens %s, want %s", c.window, c.at, got, c.next)
		}
		if got := w.End(next, l).Format(form); got != c.end {
			t.Errorf("%s at %s: closes %s, want %s", c.window, c.at, got, c.end)
		}
	}
}

// TestWindowAgainstMinutes asks every minute around the days on which clocks are set.
func TestWindowAgainstMinutes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Africa/Casablanca"} {
		l := zone(t, name)
		for _, text := range []string{"09:00-20:00", "sun 01:30-02:30", "sat 22:00-02:15", "23:30-00:30", "sun 00:00-24:00", "mon 00:15-00:45", "sat,sun 02:00-01:30"} {
			w := parse(t, text)
			for _, from := range []time.Time{time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC),
				time.Date(2026, 9, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)} {
				end := from.AddDate(0, 0, 12)
				next, closed := time.Time{}, time.Time{} // as known from the minutes behind
				for at := end; at.After(from); at = at.Add(-time.Minute) {
					if w.Open(at, l) {
						next = at
					} else {
						closed = at
					}
					if at.After(from.AddDate(0, 0, 4)) || at.Unix()/60%29 > 0 {
						continue
					}
					if got := w.Next(at, l); !next.IsZero() && !got.Equal(next) {
						t.Fatalf("%s in %s at %s: opens %s, want %s", text, name, at.In(l), got, next.In(l))
					}
					if got := w.End(at, l); w.Open(at, l) && !closed.IsZero() && !got.Equal(closed) {
						t.Fatalf("%s in %s at %s: closes %s, want %s", text, name, at.In(l), got, closed.In(l))
					}
				}
			}
		}
	}
}

func TestNextAll(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 13, 30, 0, 0, time.UTC)
	zones := []*time.Location{zone(t, "America/New_York"), zone(t, "America/Los_Angeles")}
	if got := parse(t, "09:00-20:00").NextAll(at, zones); !got.Equal(time.Date(2026, 3, 3, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("open in both at %s", got)
	}
	if got := parse(t, "09:00-11:00").NextAll(at, zones); !got.Equal(time.Date(2026, 3, 3, 17, 0, 0, 0, time.UTC)) { // no hour suits both: the last one's
		t.Errorf("open in the last at %s", got)
	}
}
