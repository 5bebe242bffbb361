package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

// mergeUploadPath is where the files of a run are sent to; like uploadPath it takes a large body.
const mergeUploadPath = "/merge-runs/:id/files"

// mergeUpload takes a rented list or a suppression file. The body is a stream whose fields come before the file, so that
// the file goes to its place at once.
func (p *Pages) mergeUpload(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	r, err := c.Request().MultipartReader()
	if err != nil {
		return unreadable(err, "The form could not be read")
	}
	f := formWith()
	in, err := p.takeMergeFile(c, run, r, &f)
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergeDraft(c, run, f)
	}
	return c.Redirect(http.StatusSeeOther, mergePath(run)+"/inputs/"+strconv.Itoa(in.No))
}

func (p *Pages) takeMergeFile(c echo.Context, run mergepurge.Run, r *multipart.Reader, f *form) (mergepurge.Input, error) {
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return mergepurge.Input{}, fault.BadField("file", "Choose a file")
		} else if err != nil {
			return mergepurge.Input{}, unreadable(err, "The upload broke off")
		}
		if part.FormName() != "file" {
			value, err := io.ReadAll(io.LimitReader(part, 1000))
			if err != nil {
				return mergepurge.Input{}, unreadable(err, "The upload broke off")
			}
			f.values.Add(part.FormName(), string(value))
			continue
		}
		if part.FileName() == "" {
			return mergepurge.Input{}, fault.BadField("file", "Choose a file")
		}
		in := mergepurge.NewInput{Kind: f.Get("kind"), Name: f.Text("name"), FileName: filepath.Base(part.FileName()), Body: part}
		if in.Kind != mergepurge.Rented && in.Kind != mergepurge.Suppression {
			return mergepurge.Input{}, fault.Bad("Say whether it is a rented list or a suppression file")
		}
		if in.Kind == mergepurge.Rented {
			if in.Deal, err = typedDeal(*f); err != nil {
				return mergepurge.Input{}, err
			}
		}
		made, err := p.MergePurge.AddInput(ctx(c), run.ID, in)
		if errors.As(err, new(*http.MaxBytesError)) {
			err = errTooLarge
		}
		return made, err
	}
}

// typedDeal reads the deal of a rented list; nil where nothing was typed, so that a known list keeps its own.
func typedDeal(f form) (*mergepurge.Deal, error) {
	typed := false
	for _, name := range []string{"price_per_thousand", "currency", "net_share", "running_charge", "extra_per_thousand", "uses", "mail_by"} {
		typed = typed || f.Text(name) != ""
	}
	if !typed {
		return nil, nil
	}
	d := mergepurge.Deal{NetShare: decimal.One, Currency: strings.ToUpper(f.Text("currency")), MailBy: f.Text("mail_by")}
	var err error
	for name, to := range map[string]*decimal.Decimal{"price_per_thousand": &d.PricePerThousand, "running_charge": &d.RunningCharge, "extra_per_thousand": &d.ExtraPerThousand} {
		if *to, err = typedAmount(f, name); err != nil {
			return nil, err
		}
	}
	if s := strings.TrimSuffix(f.Text("net_share"), "%"); s != "" {
		share, err := decimal.Parse(strings.TrimSpace(s))
		if err == nil {
			d.NetShare, err = share.Quo(decimal.Hundred)
		}
		if err != nil || d.NetShare.IsNeg() || d.NetShare.Cmp(decimal.One) > 0 {
			return nil, fault.BadField("net_share", "Write per cent from 0 to 100, such as 85")
		}
	}
	if s := f.Text("uses"); s != "" {
		if d.Uses, err = strconv.Atoi(s); err != nil || d.Uses < 1 {
			return nil, fault.BadField("uses", "Write a whole number, such as 1")
		}
	}
	return &d, nil
}
