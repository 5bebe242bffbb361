package email

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A relay that takes 20 ms for each mail is given all the connections there may be; once it turns some away there are few.
func TestSlowRelay(t *testing.T) {
	t.Parallel()
	const most = 20
	var trouble atomic.Bool
	k := &sink{pipe: true, say: func(c string, _ int) string {
		switch {
		case c == "." && trouble.Load():
			return "421 too much"
		case c == ".":
			time.Sleep(20 * time.Millisecond)
		}
		return ""
	}}
	p, err := Open(k.start(t), most)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var stop atomic.Bool
	var number atomic.Int64
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			for !stop.Load() {
				p.Stream(t.Context(), Stream{
					Next: func() *Mail {
						if stop.Load() {
							return nil
						}
						return &Mail{From: "s@x.example", To: fmt.Sprintf("p%d@x.example", number.Add(1)), Body: []byte("Subject: x\r\n\r\ny")}
					},
					Done: func(_ *Mail, err error) bool { return err == nil },
				})
			}
		})
	}
	defer all.Wait()
	defer stop.Store(true)
	for end := time.Now().Add(20 * time.Second); p.Limit() < most; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only %d connections after 20 s", p.Limit())
		}
	}
	before, began := k.mails.Load(), time.Now()
	time.Sleep(time.Second)
	rate := float64(k.mails.Load()-before) / time.Since(began).Seconds()
	t.Logf("%.0f mails/s at the limit; one connection takes 50, %d take %d", rate, most-1, (most-1)*50)
	if rate < 300 { // a third of what the relay would take: the machine may be busy
		t.Errorf("%.0f mails/s", rate)
	}
	trouble.Store(true)
	for end := time.Now().Add(20 * time.Second); p.Limit() > 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still %d connections", p.Limit())
		}
	}
}
