package delivery_test

import (
	"strings"
	"testing"

	"aldine/delivery/sandbox"
	"aldine/internal/settings"
)

// The hidden link is in mails only where the setting says so; the pixel always is.
func TestHiddenLinkIsASetting(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		w := newWorld(t)
		_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.TrapLink = on; return nil })
		w.must(err)
		s := w.step("email", "customer", "0.01")
		w.add(s, mails(1)...)
		w.plan(s, 0, everybody)
		w.work(w.delivery)
		box, err := w.delivery.Outbox(t.Context(), sandbox.Query{})
		w.must(err)
		if len(box) != 1 {
			t.Fatalf("%d mails", len(box))
		}
		m, err := w.delivery.OutboxMessage(t.Context(), box[0].ID)
		w.must(err)
		page := m.HTML
		if hidden := strings.Contains(page, `style="display:none" aria-hidden="true" tabindex="-1"`); hidden != on || !strings.Contains(page, "/t/o/") {
			t.Errorf("set to %v: hidden link %v in\n%s", on, hidden, page)
		}
	}
}
