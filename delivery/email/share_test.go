package email

import (
	"fmt"
	"testing"
	"time"
)

// A stream without end leaves its connection to another that waits for it.
func TestConnectionIsShared(t *testing.T) {
	t.Parallel()
	k := &sink{pipe: true, say: func(c string, _ int) string {
		if c == "." {
			time.Sleep(10 * time.Millisecond)
		}
		return ""
	}}
	p, err := Open(k.start(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	given, stop := 0, make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Stream(t.Context(), Stream{
			Next: func() *Mail {
				select {
				case <-stop:
					return nil
				default:
				}
				given++
				return &Mail{From: "s@x.example", To: fmt.Sprintf("p%d@x.example", given), Body: []byte("Subject: x\r\n\r\ny")}
			},
			Done: func(_ *Mail, err error) bool { return err == nil },
		})
	}()
	for k.mails.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	other := make(chan error, 1)
	go func() {
		one := true
		p.Stream(t.Context(), Stream{
			Next: func() *Mail {
				if !one {
					return nil
				}
				one = false
				return &Mail{From: "s@x.example", To: "other@x.example", Body: []byte("Subject: x\r\n\r\ny")}
			},
			Done: func(_ *Mail, err error) bool { other <- err; return err == nil },
		})
	}()
	select {
	case err := <-other:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the other stream never got the connection")
		close(stop)
	}
	<-ended // what is left of the first one is another stream's
}
