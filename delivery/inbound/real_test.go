package inbound_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"aldine/delivery/inbound"
	"aldine/internal/testdata"
	"aldine/tracking"
)

// Every message of the public collection comes to a signed return path of its own: what it says of its first recipient is
// what the touch becomes.
func TestRealMessagesByTheListener(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(testdata.Path(t, "dsn/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]struct {
		Hard   bool   `json:"hard_bounce"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, inbound.Limits{PerSecond: 1000})
	w.exec(`INSERT INTO customers (customer_id, first_name, email, created_at, updated_at) SELECT n, 'P', 'p' || n || '@example.org', @now, @now FROM generate_series(1001, 1400) n`)
	w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, sent_at, updated_at)
		SELECT n, 1, 11, 'email', 31, 'sent', 'p' || n || '@example.org', @now, @now, @now FROM generate_series(1001, 1400) n`)
	customer := map[string]int64{}
	n := int64(1000)
	for name := range expected {
		body, err := os.ReadFile(testdata.Path(t, filepath.Join("dsn/messages", name)))
		if err != nil {
			t.Fatal(err)
		}
		n++
		customer[name] = n
		for range 2 { // the second time nothing happens
			if err := w.post(string(body), w.back(n, 11)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	ordinary, err := filepath.Glob(testdata.Path(t, "dsn/not-bounces") + "/*.eml")
	if err != nil || len(ordinary) == 0 {
		t.Fatal(ordinary, err)
	}
	for _, name := range ordinary {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n++
		w.posted(string(body), w.back(n, 11))
	}
	right, complaints := 0, 0
	for name, want := range expected {
		state := w.text(`SELECT state FROM touches WHERE step_id = 11 AND customer_id = ` + itoa(customer[name]))
		kind := w.text(`SELECT kind FROM responses WHERE customer_id = ` + itoa(customer[name]))
		if want[0].Reason == "feedback" {
			if complaints++; kind != "complaint" {
				t.Errorf("%s: a complaint became %q", name, kind)
			}
		}
		if (state == "bounced") == (want[0].Hard && want[0].Reason != "feedback") {
			right++
		}
	}
	t.Logf("%d of %d touches are right, %d complaints", right, len(expected), complaints)
	if right*100 < len(expected)*85 || complaints == 0 {
		t.Errorf("%d of %d touches are right, %d complaints", right, len(expected), complaints)
	}
	w.want(`SELECT count(*) FROM suppressions WHERE reason LIKE 'hard bounce%' AND match_key NOT IN (SELECT lower(destination) FROM touches WHERE state = 'bounced')`, "0")
	w.want(`SELECT count(*) FROM touches WHERE state = 'bounced' AND lower(destination) NOT IN (SELECT match_key FROM suppressions)`, "0")
	w.want(`SELECT customer_id FROM responses WHERE customer_id > `+itoa(n-int64(len(ordinary))), "")
	w.want(`SELECT count(*) FROM responses WHERE campaign_id IS DISTINCT FROM 1`, "0")
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Whatever arrives is taken in without a fault, and says the same the second time.
func FuzzReceive(f *testing.F) {
	if files, err := filepath.Glob("../../../shared/data/dsn/messages/*"); err == nil {
		for _, name := range files[:min(len(files), 40)] {
			if body, err := os.ReadFile(name); err == nil {
				f.Add(body, byte(len(body)))
			}
		}
	}
	f.Add([]byte(dsn("anna@example.org", "failed", "5.1.1", gone, "Message-ID: <1.13.1@shop.example>")), byte(0))
	f.Add([]byte("From: anna@example.org\nIn-Reply-To: <1.12.1@x>\n\n\x00stop\xff"), byte(1))
	w := newWorld(f, inbound.Limits{})
	f.Fuzz(func(t *testing.T, raw []byte, n byte) {
		to := []string{w.back(1+int64(n)%3, 11+int64(n)%9), "bounces@" + domain, "", w.signed.Leave(tracking.Token{CampaignID: 1, StepID: 11, CustomerID: 1})}[n%4]
		first, err := w.s.Receive(context.Background(), to, raw)
		if len(raw) == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.s.Receive(context.Background(), to, raw)
		if err != nil || !again.Repeated || again.Kind != first.Kind || again.Outcome != first.Outcome {
			t.Fatalf("%+v, then %+v %v", first, again, err)
		}
	})
}
