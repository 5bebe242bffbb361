package email

import (
	"context"
	"net/textproto"
	"testing"
	"time"

	"aldine/delivery/bounce"
)

func TestGateGrowsAndHalves(t *testing.T) {
	t.Parallel()
	g := newGate(20)
	if g.limit != firstLimit {
		t.Fatalf("begins with %d", g.limit)
	}
	for range 40 * growAfter {
		g.taken()
	}
	if g.limit != 20 {
		t.Errorf("grew to %d", g.limit)
	}
	for range 10 { // ten connections cut at once are one trouble
		g.trouble()
	}
	if g.limit != 10 {
		t.Errorf("halved to %d", g.limit)
	}
	for range 5 {
		g.cut = time.Time{}
		g.trouble()
	}
	if g.limit != 1 {
		t.Errorf("after many troubles: %d", g.limit)
	}
	g.dialed(false)
	first := g.rest()
	g.until = time.Now().Add(-time.Millisecond)
	g.dialed(false)
	if second := g.rest(); first <= 0 || second <= first {
		t.Errorf("rests %s, then %s", first, second)
	}
	g.dialed(true)
	if g.rest() != 0 {
		t.Error("rests after the relay was reached")
	}
}

func TestGateKeepsRoomForHurry(t *testing.T) {
	t.Parallel()
	g := newGate(3)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for range 2 {
		if err := g.enter(ctx, false); err != nil {
			t.Fatal(err)
		}
	}
	if g.room() || g.enter(ctx, false) == nil {
		t.Error("the last connection was given away")
	}
	if err := g.enter(t.Context(), true); err != nil {
		t.Error(err)
	}
	waited := make(chan error)
	go func() { waited <- g.enter(t.Context(), false) }()
	g.leave()
	g.leave()
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func TestAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  int
		text  string
		at    stage
		class Class
		cause bounce.Cause
		hard  bool
	}{
		{550, "5.1.1 no such user here", atRecipient, Refused, bounce.NoMailbox, true},
		{550, "5.1.10 null MX", atRecipient, Refused, bounce.NoMail, true},
		{550, "no such user", atRecipient, Refused, bounce.NoMailbox, true},
		{550, "5.2.1 mailbox disabled", atRecipient, Refused, bounce.Disabled, false},
		{552, "5.2.2 mailbox full", atRecipient, Refused, bounce.Full, false},
		{550, "5.7.1 rejected by policy", atRecipient, Refused, bounce.Policy, false},
		{550, "5.7.26 unauthenticated sender, SPF and DKIM failed", atText, Refused, bounce.Policy, false},
		{554, "looks like spam to us", atText, Refused, bounce.Content, false},
		{554, "transaction failed", atText, Refused, bounce.Content, false},
		{550, "user unknown", atText, Refused, bounce.Other, false},
		{550, "5.7.1 user unknown", atText, Refused, bounce.Policy, false},
		{550, "5.1.1 user unknown", atText, Refused, bounce.NoMailbox, true},
		{554, "no valid recipients", atData, Refused, bounce.Other, false},
		{554, "5.5.1 no valid recipients", atData, Refused, bounce.Other, false},
		{550, "5.1.2 no such domain", atData, Refused, bounce.NoDomain, true},
		{550, "5.1.8 bad sender", atSender, Refused, bounce.Policy, false},
		{550, "no such user", atSender, Refused, bounce.Policy, false},
		{451, "4.7.1 greylisted", atRecipient, Transient, "", false},
		{421, "too busy", atRecipient, Transient, "", false},
	} {
		e := answered(&textproto.Error{Code: c.code, Msg: c.text}, c.at)
		if e.Class != c.class || e.Cause != c.cause || e.Hard != c.hard {
			t.Errorf("%d %s: class %d, cause %s, hard %v", c.code, c.text, e.Class, e.Cause, e.Hard)
		}
	}
}
