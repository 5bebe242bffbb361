package email

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sink is a mail server that takes what it is given and says what a script tells it to.
type sink struct {
	addr  string
	pipe  bool
	mails atomic.Int64
	mu    sync.Mutex
	to    []string
	// say gives the answer to a command or, for ".", to the n-th mail of the connection; "" is yes, "hang" says nothing more.
	say func(command string, n int) string
}

func (k *sink) start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go k.serve(c)
		}
	}()
	k.addr = l.Addr().String()
	return "smtp://" + k.addr + "?tls=off"
}

func (k *sink) serve(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 16<<10)
	answer := func(s string) {
		_, _ = w.WriteString(s + "\r\n")
		if r.Buffered() == 0 {
			_ = w.Flush()
		}
	}
	answer("220 sink")
	n, to := 0, ""
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		command := strings.TrimRight(string(line), "\r\n")
		reply := ""
		if k.say != nil {
			reply = k.say(command, n)
		}
		switch {
		case reply == "hang":
			_ = w.Flush()
			return
		case reply != "":
			answer(reply)
		case strings.HasPrefix(command, "EHLO"):
			if k.pipe {
				answer("250-sink\r\n250 PIPELINING")
			} else {
				answer("250 sink")
			}
		case command == "DATA" && to == "":
			answer("503 no recipient")
		case command == "DATA":
			answer("354 go on")
			_ = w.Flush()
			for {
				line, err := r.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 3 && bytes.Equal(line, []byte(".\r\n")) {
					break
				}
			}
			n++
			if k.say != nil {
				reply = k.say(".", n)
			}
			if reply == "hang" {
				return
			}
			if reply == "" || reply[0] < '4' {
				k.mails.Add(1)
				if k.say != nil {
					k.mu.Lock()
					k.to = append(k.to, to)
					k.mu.Unlock()
				}
				if reply == "" {
					reply = "250 taken"
				}
			}
			to = ""
			answer(reply)
		case strings.HasPrefix(command, "RCPT"):
			to = strings.TrimSuffix(strings.TrimPrefix(command, "RCPT TO:<"), ">")
			answer("250 ok")
		case command == "RSET":
			to = ""
			answer("250 ok")
		case command == "QUIT":
			answer("221 bye")
			_ = w.Flush()
			return
		default:
			answer("250 ok")
		}
	}
}

// run sends n mails and gives what became of each, and which were begun.
func run(t testing.TB, p *Pool, n int) (fates map[string]error, begun map[string]bool) {
	t.Helper()
	fates, begun = map[string]error{}, map[string]bool{}
	i := 0
	p.Stream(t.Context(), Stream{
		Next: func() *Mail {
			if i++; i > n {
				return nil
			}
			return &Mail{From: "shop@x.example", To: fmt.Sprintf("p%d@x.example", i), Body: []byte("Subject: x\r\n\r\n.dot\r\n.\r\nend")}
		},
		Begin: func(m *Mail) error { begun[m.To] = true; return nil },
		Done: func(m *Mail, err error) bool {
			if _, twice := fates[m.To]; twice {
				t.Errorf("%s is done twice", m.To)
			}
			fates[m.To] = err
			return true
		},
	})
	if len(fates) != n {
		t.Errorf("%d of %d mails are done", len(fates), n)
	}
	return fates, begun
}

func TestStream(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(string, int) string{
		"takes all": func(string, int) string { return "" },
		"refuses some addresses": func(c string, n int) string {
			return said(strings.HasPrefix(c, "RCPT TO:<p3@") || strings.HasPrefix(c, "RCPT TO:<p4@"), "550 5.1.1 unknown")
		},
		"refuses some mails":      func(c string, n int) string { return said(c == "." && n%3 == 0, "554 spam") },
		"puts some off":           func(c string, n int) string { return said(c == "." && n%4 == 0, "451 later") },
		"wants a new connection":  func(c string, n int) string { return said(strings.HasPrefix(c, "MAIL") && n == 5, "421 enough") },
		"hangs up before mails":   func(c string, n int) string { return said(strings.HasPrefix(c, "MAIL") && n == 5, "hang") },
		"hangs up after a mail":   func(c string, n int) string { return said(c == "." && n == 5, "hang") },
		"refuses the sender at 7": func(c string, n int) string { return said(strings.HasPrefix(c, "MAIL") && n == 7, "451 slow down") },
		"says 421 instead of yes": func(c string, n int) string { return said(c == "." && n == 5, "421 restarting") },
		"says yes otherwise":      func(c string, n int) string { return said(c == "." && n%3 == 0, "200 fine") },
		"loses count":             func(c string, n int) string { return said(c == "." && n == 5, "354 go on") },
		"refuses data":            func(c string, n int) string { return said(c == "DATA" && n == 2, "554 no valid recipients") },
	} {
		for _, pipe := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, pipelining %v", name, pipe), func(t *testing.T) {
				t.Parallel()
				k := &sink{pipe: pipe, say: say}
				p, err := Open(k.start(t), 1)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				fates, begun := run(t, p, 20)
				k.mu.Lock()
				defer k.mu.Unlock()
				taken := map[string]int{}
				for _, to := range k.to {
					taken[to]++
				}
				unknown := 0
				for to, err := range fates {
					var e *Error
					errors.As(err, &e)
					switch {
					case taken[to] > 1:
						t.Errorf("%s got %d mails", to, taken[to])
					case err == nil && taken[to] == 0:
						t.Errorf("%s counts as sent and got nothing", to)
					case err != nil && taken[to] > 0 && (e == nil || e.Class != Unknown):
						t.Errorf("%s got a mail, but: %v", to, err)
					case err == nil && !begun[to]:
						t.Errorf("%s was not begun", to)
					case e != nil && e.Class == Unknown:
						unknown++
					}
				}
				if want := map[bool]int{name == "hangs up after a mail" || name == "loses count": 4}[true]; unknown > want {
					t.Errorf("%d are in doubt", unknown)
				}
				if name == "takes all" && len(k.to) != 20 || name == "refuses some addresses" && len(k.to) != 18 {
					t.Errorf("%d mails arrived", len(k.to))
				}
			})
		}
	}
}

func said(b bool, s string) string {
	if b {
		return s
	}
	return ""
}

func TestStreamStops(t *testing.T) {
	t.Parallel()
	k := &sink{pipe: true, say: func(c string, n int) string { return said(c == "." && n == 3, "451 later") }}
	p, err := Open(k.start(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	i, done := 0, 0
	p.Stream(t.Context(), Stream{
		Next: func() *Mail {
			i++
			return &Mail{From: "a@x.example", To: fmt.Sprintf("p%d@x.example", i), Body: []byte("x: y\r\n\r\nz")}
		},
		Done: func(_ *Mail, err error) bool { done++; return err == nil },
	})
	if done != i || k.mails.Load() != 2 {
		t.Errorf("%d of %d done, %d arrived", done, i, k.mails.Load())
	}
}

// BenchmarkStream composes and sends mails of 4.8 KB over one connection; BenchmarkPump sends prepared ones, command by
// command, and is the floor.
func BenchmarkStream(b *testing.B) {
	for _, pipe := range []bool{true, false} {
		b.Run(fmt.Sprintf("pipelining=%v", pipe), func(b *testing.B) {
			k := &sink{pipe: pipe}
			p, err := Open(k.start(b), 1)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			s, fields := benchSkeleton(b)
			var bodies [2][]byte
			i := 0
			b.ResetTimer()
			p.Stream(b.Context(), Stream{
				Next: func() *Mail {
					if i++; i > b.N {
						return nil
					}
					body := &bodies[i%2]
					*body, _ = s.Append((*body)[:0], fields)
					return &Mail{From: "shop@shop.example", To: fields.To, Body: *body}
				},
				Done: func(_ *Mail, err error) bool {
					if err != nil {
						b.Error(err)
					}
					return err == nil
				},
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

func benchSkeleton(b *testing.B) (*Skeleton, *Fields) {
	l := layout
	l.HTML = append([]string(nil), l.HTML...)
	l.HTML[1] += strings.Repeat("<p>A paragraph of text that never changes.</p>\n", 45)
	s, err := NewSkeleton("Shop", "shop@shop.example", l, LeaveByLink)
	if err != nil {
		b.Fatal(err)
	}
	return s, fieldsFor("Anna")
}

// BenchmarkPump is the floor: a prepared mail, command by command.
func BenchmarkPump(b *testing.B) {
	k := &sink{}
	k.start(b)
	s, fields := benchSkeleton(b)
	body, err := s.Append(nil, fields)
	if err != nil {
		b.Fatal(err)
	}
	body = append(body, "\r\n.\r\n"...)
	c, err := net.DialTimeout("tcp", k.addr, time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s []byte) {
		if len(s) > 0 {
			if _, err := c.Write(s); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	say(nil)
	say([]byte("EHLO x\r\n"))
	b.SetBytes(int64(len(body)))
	b.ResetTimer()
	for range b.N {
		say([]byte("MAIL FROM:<shop@shop.example>\r\n"))
		say([]byte("RCPT TO:<anna@example.org>\r\n"))
		say([]byte("DATA\r\n"))
		say(body)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
