package sandbox_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aldine/delivery/email"
	"aldine/delivery/sandbox"
	"aldine/delivery/sms"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func TestSandbox(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := sandbox.Start(pool, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mails, err := email.Open(box.SMTPURL(), 4)
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := sms.NewGateway(box.SMSURL(), box.Token())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			body, err := email.Compose(email.Message{
				From: "news@shop.example", To: fmt.Sprintf("p%d@x.example", i), Subject: fmt.Sprintf("Grüße %d", i), Text: "text ä", HTML: "<p>html ä</p>"})
			if err != nil {
				t.Error(err)
				return
			}
			if err := mails.Send(t.Context(), "news@shop.example", fmt.Sprintf("p%d@x.example", i), body); err != nil {
				t.Error(err)
			}
			// Twice the same: stored once.
			if _, err := gateway.Send(t.Context(), sms.Message{ID: fmt.Sprint("m", i/2), To: "+4930901820", From: "SHOP", Text: "Hi \x00 ä"}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all, err := sandbox.Messages(t.Context(), pool, sandbox.Query{Limit: 500})
	if err != nil || len(all) != 60 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	page, err := sandbox.Messages(t.Context(), pool, sandbox.Query{Limit: 10, After: all[49].ID})
	if err != nil || len(page) != 10 || page[9].ID != all[59].ID {
		t.Errorf("the last page: %+v, %v", page, err)
	}
	one, err := sandbox.Messages(t.Context(), pool, sandbox.Query{Recipient: "p7@x.example"})
	if err != nil || len(one) != 1 || one[0].Subject != "Grüße 7" {
		t.Fatalf("%+v, %v", one, err)
	}
	m, err := sandbox.Get(t.Context(), pool, one[0].ID)
	if err != nil || m.Text != "text ä" || m.HTML != "<p>html ä</p>" {
		t.Errorf("%+v, %v", m, err)
	}
	texts, err := sandbox.Messages(t.Context(), pool, sandbox.Query{Channel: "sms"})
	if err != nil || len(texts) != 20 || texts[0].Snippet != "Hi  ä" {
		t.Errorf("%+v, %v", texts, err)
	}
	if _, err := sandbox.Get(t.Context(), pool, 1<<40); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	stranger, err := sms.NewGateway(box.SMSURL(), "wrong")
	if err != nil {
		t.Fatal(err)
	}
	var e *sms.Error
	if _, err := stranger.Send(t.Context(), sms.Message{ID: "x", To: "+49", Text: "x"}); !errors.As(err, &e) || !strings.Contains(e.Reason, "token") {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := gateway.Send(t.Context(), sms.Message{ID: "x", To: "12", Text: "x"}); !errors.As(err, &e) || e.Class != sms.Refused {
		t.Errorf("a number without a country: %v", err)
	}
	mails.Close()
	if err := box.Close(); err != nil {
		t.Error(err)
	}
	if err := mails.Send(t.Context(), "a@x.example", "b@x.example", []byte("x: y\r\n\r\nz")); err == nil {
		t.Error("a closed sandbox took a mail")
	}
}

// TestUnreadableMail: whatever comes is shown, as it came where it cannot be taken apart.
func TestUnreadableMail(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := sandbox.Start(pool, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}()
	mails, err := email.Open(box.SMTPURL(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer mails.Close()
	for _, body := range []string{"no header at all", "Subject: =?x-unknown?q?a?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nbroken", "Subject: \x00\xff\r\n\r\nx", ""} {
		if err := mails.Send(t.Context(), "a@x.example", "b@x.example", []byte(body)); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
	all, err := sandbox.Messages(t.Context(), pool, sandbox.Query{})
	if err != nil || len(all) != 4 {
		t.Fatalf("%d, %v", len(all), err)
	}
	for _, m := range all {
		if _, err := sandbox.Get(t.Context(), pool, m.ID); err != nil {
			t.Errorf("%d: %v", m.ID, err)
		}
	}
}
