package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/delivery/sandbox"
	"aldine/internal/settings"
)

// TestMailsHaveTheirOwnValues: what one customer's mail says, by attributes, loops or values that a template keeps, is in nobody else's. Many go over
// one connection, so that what is used again from mail to mail would show.
func TestMailsHaveTheirOwnValues(t *testing.T) {
	t.Parallel()
	// The mails of the template "broken" cannot be written for those who have no city, between others that can.
	for name, html := range map[string]string{
		"plain":    `<p>{{ customer.secret }}|{{ customer.tags | join: "," }}|{{ customer.amount }}|{{ customer.last_order_at }}|{{ customer.city }}</p>`,
		"assigned": `{% assign own = customer.secret %}{% if customer.secret != "" %}{% assign seen = customer.secret %}{% endif %}{% capture c %}{{ customer.tags | first }}{% endcapture %}<p>{{ own }}|{{ seen }}|{{ c }}</p>`,
		"broken":   `<p>{{ customer.secret }} {% if customer.city == "" %}{{ customer.id | divided_by: 0 }}{% endif %}</p>`,
		"loops":    `{% for x in customer.tags %}<p>{{ x }}</p>{% endfor %}{% if customer.amount > 1 %}{{ customer.amount }}{% endif %}<p>{{ customer.secret | default: "none" }}</p>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.PauseFailurePct = 0; return nil })
			w.must(err)
			for attribute, kind := range map[string]customers.AttributeType{"secret": customers.Text, "tags": customers.List, "amount": customers.Money} {
				_, err := w.people.DefineAttribute(t.Context(), customers.Attribute{Name: attribute, Label: attribute, Type: kind})
				w.must(err)
			}
			s := w.step("email", "customer", "0.01")
			page := html + `<a href="https://shop.example/{{ customer.secret }}">see</a> <a href="{{ unsubscribe_url }}">no more</a>`
			made, err := w.store.Save(t.Context(), content.Template{Name: name, Channel: "email", Subject: "Hello {{ customer.secret }}", HTML: page})
			w.must(err)
			w.exec(`UPDATE steps SET template_id = @template, template_version = @version WHERE step_id = @step`,
				pgx.NamedArgs{"template": made.ID, "version": made.Version, "step": s.ID})
			ids := w.add(s, mails(60)...)
			w.exec(`UPDATE customers SET a_secret = 'mark' || customer_id || 'x', a_tags = ARRAY['mark' || customer_id || 'x'], a_amount = customer_id + 0.5, city = 'mark' || customer_id || 'x',
				last_order_at = created_at WHERE customer_id % 2 = 0`, nil)
			w.exec(`UPDATE customers SET city = NULL WHERE customer_id % 2 = 1`, nil)
			w.plan(s, 0, everybody)
			c := w.config
			c.EmailConnections = 1
			d := w.open(c)
			w.work(d)
			want := "sent:60"
			if name == "broken" {
				want = "failed:30 sent:30"
			}
			w.want("touches", w.counts(s), want)
			for i, id := range ids {
				box, err := d.Outbox(t.Context(), sandbox.Query{Recipient: fmt.Sprintf("p%d@x.example", i)})
				w.must(err)
				if len(box) == 0 && name == "broken" && id%2 == 1 {
					continue
				}
				if len(box) != 1 {
					t.Fatalf("%d mails for %d", len(box), id)
				}
				m, err := d.OutboxMessage(t.Context(), box[0].ID)
				w.must(err)
				raw, own := string(m.Raw), fmt.Sprintf("mark%dx", id)
				if full := id%2 == 0; full != strings.Contains(raw, own) {
					t.Errorf("mail %d has its own values: %v, want %v", id, !full, full)
				}
				if rest := strings.ReplaceAll(raw, own, ""); strings.Contains(rest, "mark") || id%2 == 1 && strings.Contains(raw, "2026-03-03") {
					t.Errorf("mail %d has another's values:\n%s", id, raw)
				}
			}
		})
	}
}
