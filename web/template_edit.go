package web

import (
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/fault"
)

type templatePage struct {
	frame
	Form     form
	Template content.Template // ID 0 for a new one
	Names    []string         // customer fields
	Versions []content.Template
}

var templateView = pageView[templatePage]("template")

func (p *Pages) templateNew(c echo.Context) error {
	channel := c.QueryParam("channel")
	if content.CheckChannel(channel) != nil {
		channel = content.Email
	}
	f := formWith()
	switch channel { // a start that may be used as it is
	case content.Email:
		f = formWith("subject", "{{ customer.first_name | default: \"Hello\" }}, news from {{ company.name }}", "html",
			"<p>Dear {{ customer.first_name | default: \"customer\" }},</p>\n\n<p><a href=\"https://example.org/\">See what is new</a></p>\n\n"+
				"<p>{{ company.name }}, {{ company.address }}<br>\n<a href=\"{{ unsubscribe_url }}\">Unsubscribe</a></p>\n")
	case content.SMS:
		f = formWith("body", "{{ company.name }}: ... Reply STOP to end.")
	case content.Post:
		f = formWith("body", "Dear {{ customer.title }} {{ customer.last_name }},\n\n...\n\nPlease quote {{ keycode }} when you order.\n\nYours sincerely\n\n{{ company.name }}")
	case content.Calls:
		f = formWith("body", "Good day, this is ... from {{ company.name }}. Do I speak with {{ customer.first_name }} {{ customer.last_name }}?\n\n...")
	}
	return p.showTemplate(c, content.Template{Channel: channel}, f)
}

func (p *Pages) templateEdit(c echo.Context) error {
	t, err := p.templateParam(c)
	if err != nil {
		return err
	}
	return p.showTemplate(c, t, formWith("name", t.Name, "subject", t.Subject, "html", t.HTML, "body", t.Body))
}

func (p *Pages) templateParam(c echo.Context) (content.Template, error) {
	id, err := idParam(c)
	if err != nil {
		return content.Template{}, err
	}
	return p.Campaigns.Templates().Get(ctx(c), id)
}

func (p *Pages) showTemplate(c echo.Context, t content.Template, f form) error {
	title := "New " + mediumName(t.Channel) + " template"
	if t.ID != 0 {
		title = t.Name
	}
	page := templatePage{frame: p.frame(c, campaignsPlace, title), Form: f, Template: t}
	var err error
	if page.Names, err = p.Customers.FieldNames(ctx(c)); err != nil {
		return err
	}
	hidden, err := customers.Hidden(ctx(c), p.Pool)
	if err != nil {
		return err
	}
	page.Names = slices.DeleteFunc(page.Names, func(name string) bool { return hidden[name] })
	if t.ID != 0 {
		if page.Versions, err = p.Campaigns.Templates().Versions(ctx(c), t.ID); err != nil {
			return err
		}
	}
	return showStatus(p, c, f.status(), templateView, page)
}

// typedTemplate reads the editor's form.
func typedTemplate(f form) (content.Template, error) {
	t := content.Template{Name: f.Text("name"), Channel: f.Get("channel"), Subject: f.Get("subject"), HTML: f.Get("html"), Body: f.Get("body")}
	if id := f.Get("template_id"); id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return t, fault.BadField("template_id", "This is not a template's number")
		}
		t.ID = n
	}
	return t, nil
}

func (p *Pages) templateSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	t, err := typedTemplate(f)
	if err != nil {
		return err
	}
	var old content.Template
	if c.Param("id") != "" {
		if old, err = p.templateParam(c); err != nil {
			return err
		}
		t.ID, t.Channel = old.ID, old.Channel
	} else {
		t.ID, old.Channel = 0, t.Channel
	}
	saved, err := p.Campaigns.Templates().Save(ctx(c), t)
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showTemplate(c, old, f)
	}
	return p.done(c, "/templates/"+strconv.FormatInt(saved.ID, 10), "The template is saved as version "+strconv.Itoa(saved.Version)+".")
}
