package web

import (
	"bytes"
	"net/mail"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/delivery/sms"
)

type outboxPage struct {
	frame
	Recipient, Channel string
	Channels           []option
	Messages           []sandbox.Message
	First, Next        string
}

var outboxView = pageView[outboxPage]("outbox")

// outbox lists what the built-in sandbox received instead of the world.
func (p *Pages) outbox(c echo.Context) error {
	page := outboxPage{frame: p.frame(c, outboxPlace, "Outbox"), Recipient: c.QueryParam("to"), Channel: c.QueryParam("channel"),
		Channels: []option{{"", "All"}, {"email", "E-mail"}, {"sms", "SMS"}}}
	after, _ := strconv.ParseInt(c.QueryParam("after"), 10, 64)
	list, err := p.Delivery.Outbox(ctx(c), sandbox.Query{Channel: page.Channel, Recipient: page.Recipient, After: after, Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	query := url.Values{"to": {page.Recipient}, "channel": {page.Channel}}
	if after > 0 {
		page.First = "/outbox?" + query.Encode()
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		query.Set("after", number64(list[rowsPerPage-1].ID))
		page.Next = "/outbox?" + query.Encode()
	}
	page.Messages = list
	return show(p, c, outboxView, page)
}

type messagePage struct {
	frame
	sandbox.Message
	Headers  []header
	Encoding string
	Parts    int
}

type header struct{ Name, Value string }

var messageView = pageView[messagePage]("message")

func (p *Pages) outboxMessage(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	m, err := p.Delivery.OutboxMessage(ctx(c), id)
	if err != nil {
		return err
	}
	page := messagePage{frame: p.frame(c, outboxPlace, "Message"), Message: m}
	if m.Channel == "sms" {
		encoding, n := sms.Segments(m.Text)
		page.Encoding, page.Parts = string(encoding), n
	} else if parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw)); err == nil {
		for _, name := range []string{"From", "To", "Date", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-Id", "Reply-To", "Content-Type"} {
			if v := parsed.Header.Get(name); v != "" {
				page.Headers = append(page.Headers, header{name, v})
			}
		}
	}
	return show(p, c, messageView, page)
}

// outboxHTML gives a message's HTML part for the sandboxed frame.
func (p *Pages) outboxHTML(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	m, err := p.Delivery.OutboxMessage(ctx(c), id)
	if err != nil {
		return err
	}
	return stranger(c, m.HTML)
}

type printRunsPage struct {
	frame
	Runs        []delivery.PrintRun
	First, Next string
}

var printRunsView = pageView[printRunsPage]("print-runs")

func (p *Pages) printRuns(c echo.Context) error {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	runs, err := p.Delivery.PrintRuns(ctx(c), 0, before, rowsPerPage+1)
	if err != nil {
		return err
	}
	page := printRunsPage{frame: p.frame(c, outboxPlace, "Print runs")}
	if before > 0 {
		page.First = "/print-runs"
	}
	if len(runs) > rowsPerPage {
		runs = runs[:rowsPerPage]
		page.Next = "/print-runs?before=" + number64(runs[rowsPerPage-1].ID)
	}
	page.Runs = runs
	return show(p, c, printRunsView, page)
}

type printRunPage struct {
	frame
	Run   delivery.PrintRun
	Files []delivery.PrintFile
}

var printRunView = pageView[printRunPage]("print-run")

func (p *Pages) printRun(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	run, files, err := p.Delivery.PrintFiles(ctx(c), id)
	if err != nil {
		return err
	}
	return show(p, c, printRunView, printRunPage{p.frame(c, outboxPlace, "Print run "+number64(id)), run, files})
}

func (p *Pages) printFile(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	file, info, err := p.Delivery.OpenPrintFile(ctx(c), id, c.Param("name"))
	if err != nil {
		return err
	}
	defer file.Close()
	kind := "application/octet-stream"
	switch info.Kind {
	case "pdf":
		kind = "application/pdf"
	case "csv":
		kind = "text/csv; charset=utf-8"
	case "manifest":
		kind = "application/json"
	}
	h := c.Response().Header()
	h.Set("Content-Disposition", `attachment; filename="`+url.PathEscape(info.Name)+`"`)
	h.Set("Content-Length", number64(info.Size))
	return c.Stream(200, kind, file)
}
