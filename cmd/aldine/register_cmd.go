package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"aldine/customers"
	"aldine/internal/fault"
)

type registerCmd struct {
	Save   registerSave   `cmd:"" help:"Add a national do-not-call register, or change the one of the name."`
	Load   registerLoad   `cmd:"" help:"Load a file with all numbers of a register; it replaces those in use."`
	List   registerList   `cmd:"" help:"List the registers with the age of their files."`
	Remove registerRemove `cmd:"" help:"Remove a register; its numbers are not looked at any more."`
}

type registerSave struct {
	Name           string `arg:"" help:"The register's name."`
	Country        string `required:"" help:"Whose numbers it is about, like US."`
	Channel        string `default:"calls" enum:"calls,sms" help:"${enum}."`
	MaxAgeDays     int    `name:"max-age-days" help:"How old the file may be on the day of a call; 31 by default, for GB 28."`
	Optional       bool   `help:"A missing or old file does not stop calls."`
	NoConsent      bool   `name:"ignore-consent" help:"A recorded yes for calls does not come before the register."`
	RelationMonths int    `name:"relation-months" help:"An order within so many months comes before the register (18 in the US); 0: none does."`
}

func (c registerSave) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		r, err := a.customers.SaveRegister(ctx, customers.Register{Name: c.Name, Country: c.Country, Channel: c.Channel, MaxAgeDays: c.MaxAgeDays,
			Required: !c.Optional, ConsentExempts: !c.NoConsent, RelationMonths: c.RelationMonths})
		if err == nil {
			fmt.Fprintf(std.out, "Register %d, %s: load its file with: aldine register load %d FILE --date DAY\n", r.ID, r.Name, r.ID)
		}
		return err
	})
}

type registerLoad struct {
	Register string `arg:"" help:"The register's number or name."`
	File     string `arg:"" type:"existingfile" help:"File with a number on each line, or CSV."`
	Date     string `required:"" placeholder:"DAY" help:"From which day the file is, like 2026-01-31: its age counts from then."`
	Column   string `help:"Column with the numbers, where its header does not tell."`
}

func (c registerLoad) Run(ctx context.Context, cfg *config, std streams) error {
	day, err := optionalDay("date", c.Date)
	if err != nil {
		return err
	}
	if day == nil {
		return fault.BadField("date", "say from which day the file is")
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return withApp(ctx, cfg, std, func(a *app) error {
		r, err := a.register(ctx, c.Register)
		if err != nil {
			return err
		}
		im, err := a.customers.LoadRegister(ctx, customers.LoadRegister{RegisterID: r.ID, ScrubbedOn: *day, FileName: filepath.Base(c.File),
			Column: c.Column, Body: file, Hold: true})
		if err != nil {
			return err
		}
		return a.runFile(ctx, std, im.ID, "")
	})
}

// register finds a register by its number or name.
func (a *app) register(ctx context.Context, named string) (customers.Register, error) {
	all, err := a.customers.Registers(ctx)
	if err != nil {
		return customers.Register{}, err
	}
	for _, r := range all {
		if r.Name == named || strconv.FormatInt(r.ID, 10) == named {
			return r, nil
		}
	}
	return customers.Register{}, fault.New(fault.NotFound, "There is no register %s", named)
}

type registerList struct{}

func (registerList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		all, err := a.customers.Registers(ctx)
		if err != nil {
			return err
		}
		t := newTable(std.out, "ID", "NAME", "COUNTRY", "CHANNEL", "NUMBERS", "FILE OF", "STATE")
		for _, r := range all {
			t.row(r.ID, r.Name, r.Country, r.Channel, r.Numbers, r.ScrubbedOn, r.Words())
		}
		return t.flush()
	})
}

type registerRemove struct {
	Register string `arg:"" help:"The register's number or name."`
}

func (c registerRemove) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		r, err := a.register(ctx, c.Register)
		if err != nil {
			return err
		}
		if err := a.customers.DeleteRegister(ctx, r.ID); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "Register %s is removed.\n", r.Name)
		return nil
	})
}
