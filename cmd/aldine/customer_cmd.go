package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aldine/customers"
	"aldine/internal/fault"
)

type customerCmd struct {
	Export customerExport `cmd:"" help:"Write everything that is stored of one customer as JSON."`
	Erase  customerErase  `cmd:"" help:"Erase a customer's identity for good; with --replay, of all who were erased before a backup was restored."`
	Erased customerErased `cmd:"" help:"Write the keyed hashes of all who were erased, to be kept beside the backups."`
	Lift   customerLift   `cmd:"" help:"Let somebody come in again who was erased."`

	Recompute customerRecompute `cmd:"" help:"Hold the facts that follow from orders, kept with every customer, against the orders, and mend what differs."`
}

type customerExport struct {
	ID  int64  `arg:"" help:"The customer's number."`
	Out string `placeholder:"FILE" help:"Write to this file instead of the terminal."`
}

func (c customerExport) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		return writeTo(c.Out, std, func(w io.Writer) error { return a.customers.Export(ctx, c.ID, w) })
	})
}

// writeTo writes to a file that only its owner may read, or to the terminal; a file that could not be written whole goes.
func writeTo(path string, std streams, write func(io.Writer) error) error {
	if path == "" {
		out := bufio.NewWriter(std.out)
		if err := write(out); err != nil {
			return err
		}
		return out.Flush()
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

type customerErase struct {
	ID     int64  `arg:"" optional:"" help:"The customer's number."`
	Yes    bool   `help:"Do not ask."`
	Replay bool   `help:"Erase every customer who is recognised as somebody who was erased."`
	List   string `type:"existingfile" placeholder:"FILE" help:"With --replay: take in this file of aldine customer erased first."`
}

func (c customerErase) Run(ctx context.Context, cfg *config, std streams) error {
	if c.Replay != (c.ID == 0) || c.List != "" && !c.Replay {
		return fault.BadField("id", "give a customer's number, or --replay")
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		if c.Replay {
			return c.replay(ctx, a, std)
		}
		p, err := a.customers.ErasePreview(ctx, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "Customer %d will be erased for good. %d orders, %d contacts and %d responses stay without identity; %d planned contacts are left out.\n",
			p.CustomerID, p.Orders, p.Contacts, p.Responses, p.Planned)
		if !c.Yes {
			fmt.Fprint(std.out, "Type ERASE to go on: ")
			line, _ := bufio.NewReader(std.in).ReadString('\n')
			if strings.TrimSpace(line) != "ERASE" {
				return fault.Bad("Nothing was erased")
			}
		}
		if err := a.customers.Erase(ctx, p.CustomerID); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "Customer %d is erased.\n", p.CustomerID)
		return nil
	})
}

func (c customerErase) replay(ctx context.Context, a *app, std streams) error {
	if c.List != "" {
		file, err := os.Open(c.List)
		if err != nil {
			return err
		}
		defer file.Close()
		added, err := a.customers.ReadErased(ctx, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%d hashes were not known here.\n", added)
	}
	n, err := a.customers.ReplayErasures(ctx, func(looked, erased int64) {
		fmt.Fprintf(std.err, "%d customers looked at, %d erased\n", looked, erased)
	})
	if err == nil {
		fmt.Fprintf(std.out, "%d customers were recognised and erased again.\n", n)
	}
	return err
}

type customerErased struct {
	Out string `placeholder:"FILE" help:"Write to this file instead of the terminal."`
}

func (c customerErased) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		return writeTo(c.Out, std, func(w io.Writer) error { return a.customers.WriteErased(ctx, w) })
	})
}

type customerLift struct {
	ExternalID string `name:"external-id" help:"The external id."`
	Email      string `help:"The e-mail address."`
	Phone      string `help:"The phone number; needs the name."`
	FirstName  string `name:"first-name" help:"First name."`
	LastName   string `name:"last-name" help:"Last name."`
	Street     string `help:"Street and number; with name and place."`
	PostalCode string `name:"postal-code" help:"Postal code."`
	City       string `help:"City."`
	Country    string `help:"Country."`
}

func (c customerLift) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		n, err := a.customers.LiftErasure(ctx, customers.Fields{ExternalID: c.ExternalID, Email: c.Email, Phone: c.Phone, FirstName: c.FirstName, LastName: c.LastName,
			Street: c.Street, PostalCode: c.PostalCode, City: c.City, Country: c.Country})
		if err == nil {
			fmt.Fprintf(std.out, "Lifted for %s: the person may be taken in again.\n", strconv.FormatInt(n, 10))
		}
		return err
	})
}

type customerRecompute struct{}

// Run begins a recomputation, or carries on with one that is under way.
func (customerRecompute) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		r, err := a.customers.StartRecomputation(ctx, true)
		if fault.Is(err, fault.Conflict) {
			list, listErr := a.customers.Recomputations(ctx, 1)
			if listErr != nil || len(list) == 0 {
				return errors.Join(err, listErr)
			}
			r, err = list[0], nil
			fmt.Fprintf(std.err, "A recomputation is under way: carrying on from customer %d of about %d.\n", r.LookedAt, r.Customers)
		}
		if err != nil {
			return err
		}
		begun := time.Now()
		r, err = a.customers.RunRecomputation(ctx, r.ID, func(r customers.Recomputation) {
			fmt.Fprintf(std.err, "%d of about %d customers looked at, %d mended\n", r.LookedAt, r.Customers, r.Mended)
		})
		if err == nil {
			fmt.Fprintf(std.out, "%d customers looked at in %.1f s, %d mended; the recomputation is %s.\n", r.LookedAt, time.Since(begun).Seconds(), r.Mended, r.State)
		}
		return err
	})
}

type suppressCmd struct {
	File      string `arg:"" type:"existingfile" help:"CSV file with a header; columns channel, reason, source, received, effective and expires come before the options."`
	Scope     string `required:"" enum:"customer,household,address,phone,email,domain" help:"What each row names: ${enum}."`
	Channel   string `default:"all" enum:"email,sms,post,calls,all" help:"${enum}."`
	Reason    string `required:"" help:"Why, so that a later reader knows."`
	Source    string `help:"Who says so."`
	Column    string `help:"Column with the values, where its header does not tell."`
	Effective string `placeholder:"DAY" help:"From when the entries hold, like 2026-01-31; at once by default."`
	Expires   string `placeholder:"DAY" help:"Until when they hold; for ever by default."`
	Rejects   string `placeholder:"FILE" help:"Write the rejected rows with line and reason to this CSV file."`
}

// optionalDay reads a day that need not be given.
func optionalDay(name, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // not given
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, fault.BadField(name, "%q is not a day: write it as 2026-01-31", text)
	}
	return &at, nil
}

func (c suppressCmd) Run(ctx context.Context, cfg *config, std streams) error {
	in := customers.StartSuppressions{Suppression: customers.Suppression{Scope: c.Scope, Channel: c.Channel, Reason: c.Reason, Source: c.Source},
		FileName: filepath.Base(c.File), Column: c.Column, Hold: true}
	var err error
	if in.EffectiveAt, err = optionalDay("effective", c.Effective); err != nil {
		return err
	}
	if in.ExpiresAt, err = optionalDay("expires", c.Expires); err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	in.Body = file
	return withApp(ctx, cfg, std, func(a *app) error {
		im, err := a.customers.StartSuppressions(ctx, in)
		if err != nil {
			return err
		}
		return a.runFile(ctx, std, im.ID, c.Rejects)
	})
}

// runFile runs an import of suppressions or of a register to its end and prints what became of its rows.
func (a *app) runFile(ctx context.Context, std streams, importID int64, rejects string) error {
	begun := time.Now()
	im, err := a.customers.RunImport(ctx, importID)
	if err != nil {
		return err
	}
	seconds := time.Since(begun).Seconds()
	fmt.Fprintf(std.out, "%d rows in %.1f s (%.0f rows/s): %d new, %d changed, %d twice, %d rejected\n", im.Rows, seconds,
		float64(im.Rows)/max(seconds, 0.001), im.Created, im.Updated, im.Duplicates, im.Rejected)
	if im.Rejected == 0 {
		return nil
	}
	if rejects == "" {
		return a.customers.WriteRejects(ctx, im.ID, std.err)
	}
	return writeTo(rejects, std, func(w io.Writer) error { return a.customers.WriteRejects(ctx, im.ID, w) })
}
