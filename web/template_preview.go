package web

import (
	"errors"
	"html"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/delivery/sms"
	"aldine/internal/fault"
)

// templatePreview answers with what the customer named in the form would get, as a document for a sandboxed frame.
func (p *Pages) templatePreview(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	t, err := typedTemplate(f)
	if err != nil {
		return err
	}
	if t.Name == "" {
		t.Name = "Preview"
	}
	customer, err := p.someCustomer(c, f.Text("customer"))
	if err != nil {
		return stranger(c, notice(describe(err).Message))
	}
	out, err := p.Campaigns.PreviewDraft(ctx(c), t, customer.ID)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && fe.Kind != fault.Internal {
		lines := []string{fe.Message}
		for _, field := range fe.Fields {
			line := field.Name + ": " + field.Message
			if field.Line > 0 {
				line += " (line " + strconv.Itoa(field.Line) + ")"
			}
			lines = append(lines, line)
		}
		return stranger(c, notice(lines...))
	} else if err != nil {
		return err
	}
	return stranger(c, document(t.Channel, customer.Name(), out))
}

// someCustomer finds the customer to preview with: by number, id, e-mail or name, else the first one there is.
func (p *Pages) someCustomer(c echo.Context, wish string) (customers.Customer, error) {
	list, err := p.Customers.List(ctx(c), customers.Query{Search: wish, Limit: 1})
	if err != nil {
		return customers.Customer{}, err
	}
	if len(list.Customers) == 0 {
		if wish == "" {
			return customers.Customer{}, fault.New(fault.NotFound, "There is no customer yet to preview with")
		}
		return customers.Customer{}, fault.New(fault.NotFound, "No customer found for %q", wish)
	}
	return list.Customers[0], nil
}

const previewStyle = `<style>body{font:15px/1.5 system-ui,sans-serif;margin:0;padding:16px;color:#222;background:#fff}` +
	`.h{border-bottom:1px solid #ddd;margin:-16px -16px 16px;padding:10px 16px;background:#f5f4f0;font-size:13px;color:#555}.h b{color:#222}` +
	`pre{white-space:pre-wrap;font:inherit;margin:0}.sms{max-width:22rem;background:#e6f0f1;border-radius:14px;padding:12px 14px}` +
	`.letter{max-width:38rem;margin:0 auto;font-family:Georgia,serif}.f{color:#888;font-size:13px;margin-top:12px}</style>`

func document(channel, name string, out content.Rendered) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">")
	head := `<div class="h">For <b>` + html.EscapeString(name) + `</b>`
	if channel == content.Email {
		head += `<br>Subject: <b>` + html.EscapeString(out.Subject) + `</b>`
	}
	head += `</div>`
	body := html.EscapeString(out.Text)
	switch channel {
	case content.Email:
		b.WriteString(previewStyle + head)
		if out.HTML != "" {
			b.WriteString(out.HTML) // harmless: the frame is a sandbox without scripts
		} else {
			b.WriteString("<pre>" + body + "</pre>")
		}
	case content.SMS:
		encoding, n := sms.Segments(out.Text)
		b.WriteString(previewStyle + head + `<div class="sms"><pre>` + body + `</pre></div><div class="f">` + plural(len([]rune(out.Text)), "character", "characters") +
			", " + html.EscapeString(string(encoding)) + ", " + plural(n, "message", "messages") + "</div>")
	case content.Post:
		b.WriteString(previewStyle + head + `<div class="letter"><pre>` + body + `</pre></div>`)
	default:
		b.WriteString(previewStyle + head + "<pre>" + body + "</pre>")
	}
	return b.String()
}

func notice(lines ...string) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">" + previewStyle)
	for i, l := range lines {
		tag := "p"
		if i == 0 {
			tag = "h3"
		}
		b.WriteString("<" + tag + ">" + html.EscapeString(l) + "</" + tag + ">")
	}
	return b.String()
}
