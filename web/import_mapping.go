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
	Preview importPreview
}

// importPreview is what would become of the first rows.
type importPreview struct {
	customers.ImportPreview
	Fault string // why there is none
}

// previewRows is how many rows are previewed.
const previewRows = 20

type mappingColumn struct {
	Index   int
	Header  string
	Field   string
	Samples []string
}

var (
	mappingView       = pageView[mappingPage]("import-mapping")
	importPreviewView = partView[importPreview]("import-preview")
)

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
	mapping := map[string]string{}
	for _, column := range page.Columns {
		if column.Header != "" {
			mapping[column.Header] = column.Field
		}
	}
	if page.Preview, err = p.previewImport(c, u, mapping); err != nil {
		return err
	}
	return showStatus(p, c, f.status(), mappingView, page)
}

// previewImport gives the first rows with their verdicts, or the words why the mapping will not do.
func (p *Pages) previewImport(c echo.Context, u upload, mapping map[string]string) (importPreview, error) {
	got, err := p.Customers.PreviewImport(ctx(c), p.uploadPath(u.Key), customers.StartImport{Kind: u.Kind, List: u.List, Mapping: mapping}, previewRows)
	if fault.Is(err, fault.Invalid) {
		return importPreview{Fault: err.Error()}, nil
	}
	return importPreview{ImportPreview: got}, err
}

// importPreview answers a change of the mapping with the first rows as they would be taken then.
func (p *Pages) importPreview(c echo.Context) error {
	u, err := p.takeUpload(c)
	if err != nil {
		return err
	}
	_, mapping, err := p.chosenMapping(c, u)
	if err != nil {
		return err
	}
	preview, err := p.previewImport(c, u, mapping)
	if err != nil {
		return err
	}
	return show(p, c, importPreviewView, preview)
}

// chosenMapping gives the mapping as it stands in the form.
func (p *Pages) chosenMapping(c echo.Context, u upload) (form, map[string]string, error) {
	f, err := formOf(c)
	if err != nil {
		return f, nil, err
	}
	file, err := csvfile.Open(p.uploadPath(u.Key))
	if err != nil {
		return f, nil, fault.Wrap(fault.NotFound, err, "This upload is not here any more: send the file again")
	}
	defer file.Close()
	mapping := map[string]string{}
	for i, h := range file.Header {
		if h != "" {
			mapping[h] = f.Get("c" + strconv.Itoa(i))
		}
	}
	return f, mapping, nil
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

// importStart hands the upload over to the service with the mapping as chosen, for a dry run or in earnest.
func (p *Pages) importStart(c echo.Context) error {
	u, err := p.takeUpload(c)
	if err != nil {
		return err
	}
	f, mapping, err := p.chosenMapping(c, u)
	if err != nil {
		return err
	}
	body, err := os.Open(p.uploadPath(u.Key))
	if err != nil {
		return err
	}
	defer body.Close()
	imp, err := p.Customers.StartImport(ctx(c), customers.StartImport{Kind: u.Kind, FileName: u.Name, List: u.List, Mapping: mapping, Body: body,
		DryRun: f.Get("do") == "dry", SearchDuplicates: f.Has("search", "on")})
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
