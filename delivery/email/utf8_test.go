package email

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"aldine/delivery/bounce"
)

// An address with letters outside ASCII goes only to a relay that takes such; where it doesn't, that address fails alone.
func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	for _, offered := range []bool{true, false} {
		for _, pipe := range []bool{true, false} {
			var mu sync.Mutex
			var from []string
			k := &sink{say: func(c string, _ int) string {
				if strings.HasPrefix(c, "MAIL") {
					mu.Lock()
					from = append(from, c)
					mu.Unlock()
				}
				if !strings.HasPrefix(c, "EHLO") {
					return ""
				}
				words := "250-sink\r\n"
				if offered {
					words += "250-SMTPUTF8\r\n"
				}
				if pipe {
					words += "250-PIPELINING\r\n"
				}
				return words + "250 HELP"
			}}
			p, err := Open(k.start(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			list := []*Mail{{From: "s@x.example", To: "a@x.example"}, {From: "s@x.example", To: "bücher@x.example"}, {From: "s@x.example", To: "c@x.example"}, {From: "hé@x.example", To: "d@x.example"}}
			got := map[string]*Error{}
			p.Stream(t.Context(), Stream{
				Next: func() *Mail {
					if len(list) == 0 {
						return nil
					}
					m := list[0]
					m.Body, list = []byte("Subject: x\r\n\r\ny"), list[1:]
					return m
				},
				Done: func(m *Mail, err error) bool {
					var e *Error
					errors.As(err, &e)
					got[m.To] = e
					return true
				},
			})
			p.Close()
			mu.Lock()
			said := strings.Join(from, "|")
			mu.Unlock()
			if got["a@x.example"] != nil || got["c@x.example"] != nil {
				t.Errorf("offered %v: an ordinary address failed: %v", offered, got)
			}
			if offered {
				if got["bücher@x.example"] != nil || got["d@x.example"] != nil || strings.Count(said, " SMTPUTF8") != 2 {
					t.Errorf("%v after %s", got, said)
				}
				continue
			}
			if e := got["bücher@x.example"]; e == nil || e.Class != Refused || !e.Alone || e.Hard || e.Cause != "" || !strings.Contains(e.Reason, "SMTPUTF8") {
				t.Errorf("the recipient's address: %+v", e)
			}
			if e := got["d@x.example"]; e == nil || e.Alone || e.Cause != bounce.Policy {
				t.Errorf("the sender's address: %+v", e)
			}
			if strings.Contains(said, "SMTPUTF8") {
				t.Errorf("said to a relay that does not know it: %s", said)
			}
		}
	}
}
