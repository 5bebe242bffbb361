package delivery

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"aldine/campaigns"
	"aldine/delivery/bounce"
	"aldine/internal/settings"
)

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var l limits
	none := settings.Values{}
	for range 1000 {
		if !l.take(&none, "a@x.example", now) {
			t.Fatal("held back without a limit")
		}
	}
	v := settings.Values{EmailPerMinute: 600, EmailDomainMinute: 120} // ten and two a second
	count := func(address string, now time.Time) (n int) {
		for l.take(&v, address, now) {
			n++
		}
		return n
	}
	if a, b := count("a@X.example", now), count("b@y.example", now); a != 2 || b != 2 {
		t.Errorf("%d and %d at once to two domains", a, b)
	}
	all := 0
	for i := range 20 {
		all += count(fmt.Sprintf("a@z%d.example", i), now)
	}
	if all != 6 { // of ten, four are gone
		t.Errorf("%d more from the account", all)
	}
	if n := count("a@x.example", now.Add(500*time.Millisecond)); n != 1 {
		t.Errorf("%d after half a second", n)
	}
	late := make([]string, 120)
	for i := range late {
		late[i] = "a@x.example"
	}
	first, until := l.queue(&v, late)
	second, _ := l.queue(&v, late)
	if first > 2*time.Second || second < 59*time.Second {
		t.Errorf("the first wait %s, those behind them %s", first, second)
	}
	until()
	if third, _ := l.queue(&v, late[:1]); third > second+time.Second {
		t.Errorf("those who went still count: %s", third)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	v := settings.Defaults()
	sent := &outcome{result: result{State: "sent"}}
	refused := &outcome{result: result{State: "failed", Reason: "554 spam"}, cause: bounce.Content}
	nobody := &outcome{result: result{State: "failed", Reason: "550 5.1.1 nobody"}, cause: bounce.NoMailbox}
	var h health
	for i := range 5 {
		if why := h.note(&v, refused); (why != "") != (i == 4) {
			t.Errorf("refusal %d: %q", i+1, why)
		}
	}
	h = health{}
	for i := range 1000 { // one in twenty is no reason
		o := sent
		if i%20 == 0 {
			o = nobody
		}
		if why := h.note(&v, o); why != "" {
			t.Fatalf("paused at %d: %s", i, why)
		}
	}
	alone := *nobody
	alone.alone = true // addresses that the relay cannot be asked for
	for range 300 {
		if why := h.note(&v, &alone); why != "" {
			t.Fatal(why)
		}
	}
	paused := 0
	for range 30 {
		if h.note(&v, nobody) != "" {
			paused++
		}
	}
	if paused == 0 {
		t.Error("not paused though far more than one in ten failed")
	}
	v.PauseRefusals, v.PauseFailurePct = 0, 0
	h = health{}
	for range 500 {
		if why := h.note(&v, refused); why != "" {
			t.Fatalf("paused though both rules are off: %s", why)
		}
	}
}

func TestPutOffFor(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(hours int, text string) rivertype.AttemptError {
		return rivertype.AttemptError{At: now.Add(-time.Duration(hours) * time.Hour), Error: text}
	}
	got := putOffFor([]rivertype.AttemptError{at(9, campaigns.PutOff+"the mail server cannot be reached"), at(8, campaigns.PutOff+"421 busy"),
		at(7, "database gone"), at(5, campaigns.PutOff+"451 4.7.1 greylisted"), at(2, campaigns.PutOff+"450 later")}, now)
	if got != 5*time.Hour {
		t.Errorf("put off for %s", got)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := openHandover(dir, 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readHandover(dir, 7, 1); !errors.Is(err, errAlive) {
		t.Fatalf("a living process's journal was read: %v", err)
	}
	if _, err := openHandover(dir, 7, 1); err == nil {
		t.Fatal("the same attempt was begun twice")
	}
	for _, err := range []error{j.mark(fateBegun, 1), j.mark(fateSent, 1), j.mark(fateBegun, 2), j.mark(fateFailed, 2), j.mark(fateBegun, 3), j.mark(fateSent, 3)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_ = j.file.Close() // as a killed process leaves it: the answer for 3 was not written yet
	dropDead(dir, 8, 1)
	fates, known, err := readHandover(dir, 7, 1)
	if err != nil || !known || fates[1] != fateSent || fates[2] != fateFailed || fates[3] != fateBegun || fates[4] != 0 {
		t.Errorf("%v %v %v", fates, known, err)
	}
	for fate, want := range map[fate]string{fateSent: "sent", fateFailed: "failed", fateHard: "failed", fateBegun: "unconfirmed", fateBack: "planned", 0: "planned"} {
		if got := inherited(1, fate, true).State; got != want {
			t.Errorf("%c: %s", fate, got)
		}
		if got := inherited(1, fate, false).State; got != "unconfirmed" {
			t.Errorf("%c without a journal: %s", fate, got)
		}
	}
	dropDead(dir, 7, 2)
	if _, known, _ := readHandover(dir, 7, 1); known {
		t.Error("the dead attempt's journal is still there")
	}
}

// On a full disk a mark is torn: nothing may follow it, and nothing may be handed over.
func TestJournalOnAFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	j := &handover{file: full}
	if j.mark(fateBegun, 1) == nil {
		t.Error("a mark went nowhere")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	defer w.Close()
	j = &handover{file: w, torn: errors.New("torn")}
	if err := j.mark(fateBegun, 2); err == nil || err.Error() != "torn" {
		t.Errorf("a mark after a torn one: %v", err)
	}
}

func TestPriority(t *testing.T) {
	t.Parallel()
	if a, b, c := priorityOf(100), priorityOf(50_000), priorityOf(1_000_000); a >= b || b >= c || a < 2 || c > 4 {
		t.Errorf("%d %d %d", a, b, c)
	}
}
