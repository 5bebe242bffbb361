package web

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/internal/fault"
	"aldine/segments"
)

type campaignEditPage struct {
	frame
	Form      form
	Campaign  campaigns.Campaign // ID 0 for a new one
	Segments  []segments.Segment
	Cells     []cellRow
	Steps     []stepRow
	Palette   []option
	Templates []content.Template
	Others    []fault.Field // faults that stand beside no field
}

type cellRow struct {
	Name, Share string
	Control     bool
	Errs        []string
}

var campaignEditView = pageView[campaignEditPage]("campaign-edit")

func (p *Pages) campaignNew(c echo.Context) error {
	f := formWith("margin_rate", "40", "journey_mode", "steps", "segment", c.QueryParam("segment"), "audience", "segment", "fixed_cost", "0")
	if e := c.QueryParam("expression"); e != "" {
		f.values.Set("expression", e)
		f.values.Set("audience", "expression")
	}
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	f.values.Set("currency", v.BaseCurrency)
	return p.showCampaignEdit(c, campaigns.Campaign{}, f,
		[]cellRow{{Name: "all", Share: "90"}, {Name: "control", Share: "10", Control: true}}, []stepRow{newStep("email", nil)})
}

func (p *Pages) campaignEdit(c echo.Context) error {
	d, err := p.campaignParam(c)
	if err != nil {
		return err
	}
	if d.State != campaigns.Draft {
		return fault.New(fault.Conflict, "Only a draft can be changed; this campaign is %s", d.State)
	}
	raw, err := json.MarshalIndent(d.Journey, "", "  ")
	if err != nil {
		return err
	}
	f := formWith("name", d.Name, "code", d.Code, "objective", d.Objective, "currency", d.Currency, "fixed_cost", d.FixedCost.Trim(2).String(),
		"margin_rate", asPercent(d.MarginRate), "segment", d.SegmentName, "expression", d.Expression, "audience", "expression",
		"row_version", strconv.Itoa(d.RowVersion), "journey_mode", "steps", "journey_json", string(raw))
	if d.Budget != nil {
		f.values.Set("budget", d.Budget.Trim(2).String())
	}
	if d.EndsAt != nil {
		f.values.Set("ends_at", stamp(*d.EndsAt))
	}
	if d.SegmentID != nil {
		f.values.Set("audience", "segment")
	}
	var cells []cellRow
	for _, cell := range d.Cells {
		cells = append(cells, cellRow{Name: cell.Name, Share: cell.Share.Trim(0).String(), Control: cell.Control})
	}
	return p.showCampaignEdit(c, d.Campaign, f, cells, stepRows(d.Journey))
}

func (p *Pages) campaignParam(c echo.Context) (campaigns.Details, error) {
	id, err := idParam(c)
	if err != nil {
		return campaigns.Details{}, err
	}
	return p.Campaigns.Get(ctx(c), id)
}

func (p *Pages) showCampaignEdit(c echo.Context, about campaigns.Campaign, f form, cells []cellRow, steps []stepRow) error {
	title := "New campaign"
	if about.ID != 0 {
		title = "Change " + about.Name
	}
	for i := range cells {
		at := "cells[" + strconv.Itoa(i) + "]"
		for _, field := range f.rest {
			if strings.HasPrefix(field.Name, at) {
				cells[i].Errs = append(cells[i].Errs, field.Message)
			}
		}
	}
	for i := range steps {
		steps[i].take(f.rest, i)
	}
	page := campaignEditPage{frame: p.frame(c, campaignsPlace, title), Form: f, Campaign: about, Cells: cells, Steps: steps, Palette: stepPalette}
	for _, field := range f.Others("name", "code", "objective", "currency", "budget", "fixed_cost", "margin_rate", "segment", "expression", "cells", "journey", "ends_at") {
		if !strings.HasPrefix(field.Name, "cells[") && !strings.HasPrefix(field.Name, "journey.steps[") {
			page.Others = append(page.Others, field)
		}
	}
	var err error
	if page.Segments, err = p.Segments.List(ctx(c), segments.Query{Limit: 200}); err != nil {
		return err
	}
	if page.Templates, err = p.Campaigns.Templates().List(ctx(c), content.Query{Limit: 500}); err != nil {
		return err
	}
	for i := range page.Steps {
		page.Steps[i].Templates = page.Templates
	}
	return showStatus(p, c, f.status(), campaignEditView, page)
}

func (p *Pages) campaignSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	var old campaigns.Details
	if c.Param("id") != "" {
		if old, err = p.campaignParam(c); err != nil {
			return err
		}
	}
	cells, steps := cellRowsOf(f), stepRowsOf(f)
	in, err := campaignInput(f, cells, steps)
	var saved campaigns.Details
	if err == nil {
		if old.ID == 0 {
			saved, err = p.Campaigns.Create(ctx(c), in)
		} else {
			saved, err = p.Campaigns.Update(ctx(c), old.ID, patchOf(in, f))
		}
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showCampaignEdit(c, old.Campaign, f, cells, steps)
	}
	return p.done(c, "/campaigns/"+strconv.FormatInt(saved.ID, 10), "The campaign is saved as a draft.")
}

func cellRowsOf(f form) []cellRow {
	var cells []cellRow
	names, shares := f.values["cell_name"], f.values["cell_share"]
	for i, name := range names {
		row := cellRow{Name: strings.TrimSpace(name), Control: f.Has("cell_control", strconv.Itoa(i))}
		if i < len(shares) {
			row.Share = strings.TrimSpace(shares[i])
		}
		if row.Name != "" || row.Share != "" {
			cells = append(cells, row)
		}
	}
	return cells
}

// campaignInput turns the form into what the service takes; an Invalid error names amounts that can't be read.
func campaignInput(f form, cells []cellRow, steps []stepRow) (campaigns.Input, error) {
	var faults []fault.Field
	amount := func(name, value string) *decimal.Decimal {
		value = strings.ReplaceAll(strings.TrimSpace(value), ",", "")
		if value == "" {
			return nil
		}
		d, err := decimal.Parse(value)
		if err != nil {
			faults = append(faults, fault.Field{Name: name, Message: "Write a number such as 1250.00"})
			return nil
		}
		return &d
	}
	in := campaigns.Input{Name: f.Text("name"), Code: f.Text("code"), Objective: f.Text("objective"), Currency: strings.ToUpper(f.Text("currency")),
		Budget: amount("budget", f.Get("budget")), FixedCost: amount("fixed_cost", f.Get("fixed_cost"))}
	if text := f.Text("ends_at"); text != "" {
		at, err := parseMinute(text)
		if err != nil {
			faults = append(faults, fault.Field{Name: "ends_at", Message: "Give a day and time"})
		}
		in.EndsAt = at.Format(time.RFC3339)
	}
	if rate := amount("margin_rate", f.Get("margin_rate")); rate != nil {
		share, err := rate.Quo(decimal.Hundred)
		if err != nil {
			return in, err
		}
		in.MarginRate = &share
	}
	if f.Get("audience") == "expression" {
		in.Expression = f.Get("expression")
	} else {
		in.Segment = f.Text("segment")
	}
	for i, cell := range cells {
		share := amount("cells["+strconv.Itoa(i)+"].share", cell.Share)
		if share == nil {
			share = &decimal.Decimal{}
		}
		in.Cells = append(in.Cells, campaigns.CellInput{Name: cell.Name, Share: *share, Control: cell.Control})
	}
	if f.Get("journey_mode") == "json" {
		raw := strings.TrimSpace(f.Get("journey_json"))
		if !json.Valid([]byte(raw)) {
			faults = append(faults, fault.Field{Name: "journey", Message: "The journey is not valid JSON"})
		}
		in.Journey = json.RawMessage(raw)
	} else {
		definition, bad := journeyOf(steps)
		faults = append(faults, bad...)
		raw, err := json.Marshal(definition)
		if err != nil {
			return in, err
		}
		in.Journey = raw
	}
	if faults != nil {
		return in, fault.Bad("The campaign is not complete yet", faults...)
	}
	return in, nil
}

// patchOf sets every field, since the form shows them all.
func patchOf(in campaigns.Input, f form) campaigns.Patch {
	version, _ := strconv.Atoi(f.Get("row_version"))
	zero := decimal.Decimal{}
	if in.FixedCost == nil {
		in.FixedCost = &zero
	}
	return campaigns.Patch{RowVersion: version, Name: &in.Name, Code: &in.Code, Objective: &in.Objective, Currency: &in.Currency, Budget: in.Budget,
		FixedCost: in.FixedCost, MarginRate: in.MarginRate, Segment: &in.Segment, Expression: &in.Expression, Cells: &in.Cells, Journey: in.Journey, EndsAt: &in.EndsAt}
}

func asPercent(share decimal.Decimal) string {
	d, err := share.Mul(decimal.Hundred)
	if err != nil {
		return ""
	}
	return d.Trim(0).String()
}
