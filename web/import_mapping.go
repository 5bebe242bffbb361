package web

import (
	"net/http"
	"os"
	"sort"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

type mappingPage struct {
	frame
	Form    form
	Upload  upload
	Columns []mappingColumn
	Fields  []string
	About   string // encoding and delimiter
}

type mappingColumn struct {
	Index   int
	Header  string
	Field   string
	Samples []string
}

var mappingView = pageView[mappingPage]("import-mapping")

func (p *Pages) importMapping(c echo.Context) error {
	u, err := p.takeUpload(c)
	if err != nil {
		return err
	}
	return p.showMapping(c, u, form{})
}

func (p *Pages) showMapping(c echo.Context, u upload, f form) error {
	file, err := csvfile.Open(p.uploadPath(u.Key))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "This upload is not here any more: send the file again")
	}
	defer file.Close()
	proposed, err := p.Customers.ProposeMapping(ctx(c), u.Kind, file.Header)
	if err != nil {
		return err
	}
	page := mappingPage{frame: p.frame(c, customersPlace, "Columns of "+u.Name), Form: f, Upload: u,
		About: string(file.Encoding) + ", columns parted by " + file.CommaName()}
	if page.Fields, err = p.importFields(c, u.Kind); err != nil {
		return err
	}
	for i, h := range file.Header {
		column := mappingColumn{Index: i, Header: h, Field: proposed[h]}
		if f.values != nil {
			column.Field = f.Get("c" + strconv.Itoa(i))
		}
		page.Columns = append(page.Columns, column)
	}
	for range 5 {
		row, err := file.Next()
		if err != nil {
			break // an unreadable row is rejected by the import, with its line
		}
		for i := range page.Columns {
			if i < len(row.Fields) {
				page.Columns[i].Samples = append(page.Columns[i].Samples, row.Fields[i])
			}
		}
	}
	return showStatus(p, c, f.status(), mappingView, page)
}

// importFields are the fields that columns may be given to.
func (p *Pages) importFields(c echo.Context, kind string) ([]string, error) {
	if kind == "orders" {
		return []string{"order_id", "customer_external_id", "ordered_at", "quantity", "amount", "currency", "sku", "place", "reason", "keycode"}, nil
	}
	names, err := p.Customers.FieldNames(ctx(c))
	if err != nil {
		return nil, err
	}
	fields := []string{"street_number", "full_name", "consent_email", "consent_sms", "consent_post", "consent_calls"}
	for _, n := range names {
		switch n {
		case "id", "orders_count", "total_spent", "last_order_at":
		default:
			fields = append(fields, n)
		}
	}
	sort.Strings(fields)
	return fields, nil
}

// importStart hands the upload over to the service with the mapping as chosen.
func (p *Pages) importStart(c echo.Context) error {
	u, err := p.takeUpload(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	file, err := csvfile.Open(p.uploadPath(u.Key))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "This upload is not here any more: send the file again")
	}
	mapping := map[string]string{}
	for i, h := range file.Header {
		if h != "" {
			mapping[h] = f.Get("c" + strconv.Itoa(i))
		}
	}
	file.Close()
	body, err := os.Open(p.uploadPath(u.Key))
	if err != nil {
		return err
	}
	defer body.Close()
	imp, err := p.Customers.StartImport(ctx(c), customers.StartImport{Kind: u.Kind, FileName: u.Name, List: u.List, Mapping: mapping, Body: body})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMapping(c, u, f)
	}
	p.dropUpload(u.Key)
	for _, name := range []string{"name", "kind", "list"} {
		p.sessions.Remove(ctx(c), "upload."+u.Key+"."+name)
	}
	return c.Redirect(http.StatusSeeOther, "/imports/"+number64(imp.ID))
}
