package customers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nyaruka/phonenumbers"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// registerFields are the fields of a register's file with the headers that are understood.
var registerFields = map[string][]string{
	"phone":     {"phone", "phonenumber", "number", "telephone", "telephonenumber", "tel", "mobile", "msisdn", "telefon", "telefonnummer", "nummer"},
	"area_code": {"areacode", "npa", "vorwahl"},
}

// LoadRegister is a file with all numbers of a register.
type LoadRegister struct {
	RegisterID int64
	ScrubbedOn time.Time // the date of the file, which its age counts from
	FileName   string
	Column     string // with the numbers, where its header does not tell
	Body       io.Reader
	Hold       bool // no job is made: the caller runs it with RunImport
}

type registerOptions struct {
	RegisterID int64  `json:"register_id"`
	ScrubbedOn string `json:"scrubbed_on"`
}

// LoadRegister stores the file and makes the job that loads it: one number a row, with a header or without, also with the
// area code in a column of its own. The numbers in use stay in use until all new ones are there. NotFound where there is
// no such register, Invalid where the date lies ahead or the file cannot be read.
func (s *Service) LoadRegister(ctx context.Context, in LoadRegister) (Import, error) {
	if _, err := s.DoNotCall(ctx, in.RegisterID); err != nil {
		return Import{}, err
	}
	if in.ScrubbedOn.IsZero() || in.ScrubbedOn.After(s.now()) {
		return Import{}, fault.BadField("scrubbed_on", "say from which day the file is; it cannot lie ahead")
	}
	if in.Body == nil {
		in.Body = strings.NewReader("")
	}
	mapping := map[string]string{}
	if in.Column != "" {
		mapping[in.Column] = "phone"
	}
	return s.StartImport(ctx, StartImport{Kind: "register", FileName: in.FileName, Mapping: mapping, Body: withHeader(in.Body), Hold: in.Hold,
		options: map[string]any{"register_id": in.RegisterID, "scrubbed_on": in.ScrubbedOn.Format(time.DateOnly)}})
}

// withHeader puts a header before a file that begins with a number at once, as registers give them out.
func withHeader(body io.Reader) io.Reader {
	r := bufio.NewReader(body)
	head, _ := r.Peek(200) // a shorter file is no error
	line, _, _ := strings.Cut(strings.TrimPrefix(string(head), "\uFEFF"), "\n")
	line = strings.TrimSpace(strings.ReplaceAll(line, `"`, ""))
	if line == "" || strings.Trim(line, "0123456789+-(). ,;\t|") != "" || !strings.ContainsAny(line, "0123456789") {
		return r
	}
	for _, delimiter := range []string{",", ";", "\t", "|"} {
		if strings.Count(line, delimiter) == 1 {
			return io.MultiReader(strings.NewReader("area_code"+delimiter+"phone\n"), r)
		}
	}
	return io.MultiReader(strings.NewReader("phone\n"), r)
}

// registerLoader loads a register's numbers as a new generation, numbered like the import.
type registerLoader struct {
	service   *Service
	imp       Import
	options   registerOptions
	register  Register
	code      string // of the country
	phone     int    // column
	area      int    // column, -1 without
	hasNumber bool
}

func (s *Service) newRegisterLoader(ctx context.Context, imp Import, columns map[string]int) (loader, error) {
	l := &registerLoader{service: s, imp: imp, area: -1}
	if err := s.options(ctx, imp, &l.options); err != nil {
		return nil, err
	}
	var err error
	if l.register, err = s.DoNotCall(ctx, l.options.RegisterID); err != nil {
		return nil, fault.Bad("The register is not there any more")
	}
	l.code = strconv.Itoa(phonenumbers.GetCountryCodeForRegion(l.register.Country))
	if l.phone, l.hasNumber = columns["phone"]; !l.hasNumber {
		return nil, fault.BadField("column", "no column of the file is known to hold the numbers: name it")
	}
	if c, ok := columns["area_code"]; ok {
		l.area = c
	}
	return l, nil
}

func (l *registerLoader) same(_, _ []string) bool              { return false }
func (l *registerLoader) replay(context.Context, []item) error { return nil }
func (l *registerLoader) stored()                              {}

func (l *registerLoader) parse(it *item) {
	text := it.fields[l.phone]
	if l.area >= 0 {
		text = it.fields[l.area] + text
	}
	n, err := l.number(text)
	if err != nil {
		it.reject = fmt.Sprintf("%q %v", short(text), err)
		return
	}
	it.number = n
}

// number gives the digits of a number's E.164 form. Numbers that no plan knows are taken too: a register may be ahead of it.
func (l *registerLoader) number(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if l.code == "1" && len(s) == 10 && s[0] >= '2' && strings.Trim(s, "0123456789") == "" { // millions of them
		return strconv.ParseInt("1"+s, 10, 64)
	}
	if len(s) > 64 {
		return 0, errors.New("is too long")
	}
	n, err := phonenumbers.Parse(s, l.register.Country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return 0, errors.New("is not a phone number")
	}
	return strconv.ParseInt(strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+"), 10, 64)
}

func (l *registerLoader) storeTx(ctx context.Context, tx pgx.Tx, items []item) (counts, error) {
	numbers := make([]int64, 0, len(items))
	for i := range items {
		if items[i].reject == "" {
			numbers = append(numbers, items[i].number)
		}
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO register_numbers (phone, register_id, generation)
		SELECT phone, @register, @generation FROM unnest(@numbers::bigint[]) AS t (phone) ORDER BY phone ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"numbers": numbers, "register": l.register.ID, "generation": l.imp.ID})
	if err != nil {
		return counts{}, err
	}
	return counts{created: tag.RowsAffected(), duplicates: int64(len(numbers)) - tag.RowsAffected()}, nil
}

// finish puts the new numbers into use and removes the old ones in slices. A file of which most rows are no numbers is
// not believed.
func (l *registerLoader) finish(ctx context.Context) error {
	s := l.service
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"register": l.register.ID, "import": l.imp.ID, "scrubbed": l.options.ScrubbedOn, "now": s.now()}
		var state string
		var created, rejected, taken int64
		if err := tx.QueryRow(ctx, `SELECT state, created, rejected, created + duplicates FROM imports WHERE import_id = @import FOR UPDATE`, args).
			Scan(&state, &created, &rejected, &taken); err != nil {
			return err
		}
		switch {
		case state != string(ImportRunning):
			return errStopped
		case taken == 0 || rejected > taken:
			return fault.Bad("Most rows of the file are no phone numbers; the numbers in use stay in use")
		}
		args["numbers"] = created
		tag, err := tx.Exec(ctx, `
			UPDATE registers SET generation = @import, scrubbed_on = @scrubbed::text::date, numbers = @numbers, loaded_at = @now
			WHERE register_id = @register AND generation <= @import`, args)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.Bad("A file that was sent later is in use already")
		}
		return audit.RecordTx(ctx, tx, s.now(), "register.load", "register", l.register.ID,
			map[string]any{"numbers": created, "scrubbed_on": l.options.ScrubbedOn, "import": l.imp.ID})
	})
	if err != nil {
		return err
	}
	return s.sweepRegister(ctx, l.register.ID, l.imp.ID)
}

// sweepRegister removes a register's numbers of earlier generations.
func (s *Service) sweepRegister(ctx context.Context, registerID, before int64) error {
	for {
		tag, err := s.pool.Exec(ctx, `
			DELETE FROM register_numbers n USING (SELECT phone, register_id, generation FROM register_numbers
				WHERE register_id = @register AND generation < @before ORDER BY generation, phone LIMIT 50000) old
			WHERE n.phone = old.phone AND n.register_id = old.register_id AND n.generation = old.generation`,
			pgx.NamedArgs{"register": registerID, "before": before})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
	}
}
