package post

import (
	"image/color"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"
)

// Run says what all letters of a run have in common.
type Run struct {
	ID           int64
	Campaign     string // code
	CampaignName string
	Step         string
	Sender       string // company
	SenderLine   string // its postal address in one line
	Letter       bool   // US Letter instead of A4
	Date         time.Time
	Columns      []string // names of Letter.Fields in the merge file
	PerFile      int      // letters in one PDF; 0 means 5,000
}

// Letter is one piece.
type Letter struct {
	CustomerID int64
	Cell       string
	Keycode    string
	Address    []string // lines of the window, name first
	Text       string   // paragraphs parted by blank lines
	URL        string   // personal address for the QR code; "" prints none
	Fields     []string // for the merge file, see Run.Columns
	Omit       string   // why the letter cannot be written; it is only named in the manifest then
}

// layout is where things stand on the page, in millimetres.
type layout struct {
	size            string
	width           float64
	windowX, window float64 // left edge and first line of the window
	bodyY           float64
	margin          float64
	infoX, infoY    float64 // keycode, date and QR code
}

var (
	a4       = layout{size: "A4", width: 210, windowX: 25, window: 50, bodyY: 105, margin: 25, infoX: 125, infoY: 50}
	usLetter = layout{size: "Letter", width: 215.9, windowX: 22, window: 50, bodyY: 102, margin: 25.4, infoX: 125, infoY: 50}
)

const (
	family  = "dejavu"
	qrSize  = 26.0
	maxRows = 6 // lines in the window
)

// document is one PDF file under way.
type document struct {
	pdf *fpdf.Fpdf
	run Run
	lay layout
}

func newDocument(run Run) *document {
	lay := a4
	if run.Letter {
		lay = usLetter
	}
	pdf := fpdf.New("P", "mm", lay.size, "")
	pdf.SetCatalogSort(true) // the same letters give the same file
	pdf.SetCreationDate(run.Date)
	pdf.SetModificationDate(run.Date)
	pdf.SetTitle(run.CampaignName, true)
	pdf.SetCreator("Aldine", true)
	pdf.AddUTF8FontFromBytes(family, "", font)
	pdf.SetMargins(lay.margin, 20, lay.margin)
	pdf.SetAutoPageBreak(true, 28)
	d := &document{pdf: pdf, run: run, lay: lay}
	pdf.SetFooterFunc(d.footer)
	return d
}

func (d *document) footer() {
	d.pdf.SetY(-18)
	d.pdf.SetFont(family, "", 7)
	d.pdf.SetTextColor(90, 90, 90)
	text, _ := printable(d.run.Sender + " · " + d.run.SenderLine)
	d.pdf.CellFormat(0, 4, text, "T", 0, "C", false, 0, "")
	d.pdf.SetTextColor(0, 0, 0)
}

// add sets one letter and gives the characters that could not be printed.
func (d *document) add(l Letter) (missing string, err error) {
	pdf, lay := d.pdf, d.lay
	var lost []string
	show := func(s string) string {
		text, gone := printable(s)
		lost = append(lost, gone)
		return text
	}
	pdf.AddPage()
	pdf.SetFont(family, "", 6.5)
	pdf.SetXY(lay.windowX, lay.window-5)
	line, _ := printable(d.run.Sender + ", " + d.run.SenderLine)
	pdf.CellFormat(80, 4, fit(pdf, line, 80), "B", 0, "L", false, 0, "")
	pdf.SetFont(family, "", 10.5)
	for i, a := range l.Address {
		if i == maxRows {
			break
		}
		pdf.SetXY(lay.windowX, lay.window+2+float64(i)*5)
		pdf.CellFormat(80, 5, fit(pdf, show(a), 80), "", 0, "L", false, 0, "")
	}
	pdf.SetFont(family, "", 8.5)
	pdf.SetXY(lay.infoX, lay.infoY)
	pdf.CellFormat(30, 4.5, d.run.Date.Format("2 January 2006"), "", 2, "L", false, 0, "")
	if l.Keycode != "" {
		pdf.CellFormat(30, 4.5, "Your code: "+l.Keycode, "", 2, "L", false, 0, "")
	}
	if l.URL != "" {
		if err := d.qr(l.URL, lay.width-lay.margin-qrSize, lay.infoY); err != nil {
			return "", err
		}
	}
	pdf.SetFont(family, "", 10.5)
	pdf.SetXY(lay.margin, lay.bodyY)
	for _, p := range paragraphs(l.Text) {
		pdf.MultiCell(0, 5.2, show(p), "", "L", false)
		pdf.Ln(3)
	}
	return strings.Join(lost, ""), pdf.Error()
}

// qr draws the code as rectangles, one per run of dark modules: sharp at any resolution and small.
func (d *document) qr(url string, x, y float64) error {
	code, err := qr.Encode(url, qr.M, qr.Auto)
	if err != nil {
		return err
	}
	n := code.Bounds().Dx()
	m := qrSize / float64(n)
	dark := func(i, j int) bool { return code.At(i, j) == color.Black }
	d.pdf.SetFillColor(0, 0, 0)
	for j := range n {
		for i := 0; i < n; i++ {
			if !dark(i, j) {
				continue
			}
			from := i
			for i < n && dark(i, j) {
				i++
			}
			d.pdf.Rect(x+float64(from)*m, y+float64(j)*m, float64(i-from)*m, m, "F")
		}
	}
	return nil
}

func paragraphs(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out []string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.Trim(p, "\n "); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// fit cuts a line that is wider than the window.
func fit(pdf *fpdf.Fpdf, s string, width float64) string {
	if pdf.GetStringWidth(s) <= width-2 {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && pdf.GetStringWidth(string(r)+"…") > width-2 {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}
