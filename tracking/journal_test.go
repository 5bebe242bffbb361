package tracking

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aldine/internal/id"
)

func TestJournalReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 123456000, time.UTC)
	hits := []*hit{
		{id: id.New(), kind: KindClick, token: Token{1, 2, 3, 4}, at: at, detail: `{"user_agent": "a"}`},
		{id: id.New(), kind: KindOpen, token: Token{1<<62 + 1, 1 << 40, 1<<63 - 1, 0}, at: at.AddDate(-80, 0, 0), machine: true, here: true, suspect: true, detail: `{}`},
		{id: id.New(), kind: KindClick, token: Token{1, 2, 5, 4}, at: at.AddDate(5000, 0, 0), detail: `{"user_agent": "a"}`},
	}
	packed := pack(hits)
	if strings.Count(string(packed), "user_agent") != 1 {
		t.Error("a text is written twice")
	}
	got, err := unpack(packed)
	if err != nil || len(got) != len(hits) {
		t.Fatal(len(got), err)
	}
	for i, h := range got {
		want := *hits[i]
		if !h.at.Equal(want.at) {
			t.Error(h.at, want.at)
		}
		want.at = h.at
		if *h != want {
			t.Errorf("%+v\n%+v", *h, want)
		}
	}
	for n := range packed { // cut off anywhere: refused, or whole hits of the beginning, and no panic
		if cut, err := unpack(packed[:n]); err == nil && len(cut) >= len(hits) {
			t.Error("all hits from a part", n)
		}
	}
	for _, bad := range []string{"", "\x02", "\x01", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x01\x01\xff\xff\xff\xff\x7f", "\x01\x00" + strings.Repeat("x", 60)} {
		if _, err := unpack([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack([]*hit{{id: id.New(), kind: KindClick, token: Token{1, 2, 3, 4}, at: time.Unix(0, 0), detail: `{}`}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		hits, err := unpack(b)
		if err == nil && len(hits)*24 > len(b) {
			t.Errorf("%d hits from %d bytes", len(hits), len(b))
		}
	})
}

func TestDetailIsJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, agent, network, want string
		here                      bool
	}{
		{want: `{}`},
		{agent: "x", want: `{"user_agent": "x"}`},
		{why: "HEAD request", here: true, network: "10.0.0.0/24", agent: "a\"\\\x00\n\xffü" + strings.Repeat("b", 2000),
			want: `{"machine": "HEAD request", "here": true, "network": "10.0.0.0/24", "user_agent": "a\"\\` + "\uFFFDü" + strings.Repeat("b", 195) + `"}`},
	} {
		if got := detailOf(c.why, c.here, c.agent, c.network); got != c.want {
			t.Errorf("%s\n%s", got, c.want)
		}
	}
	r, _ := http.NewRequest("GET", "/", nil)
	if Machine(r) == "" {
		t.Error("without a name it is a person's")
	}
}
