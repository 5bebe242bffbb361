package main

import (
	"context"
	"fmt"
	"time"

	"aldine/customers"
)

type attributeCmd struct {
	Add  attributeAdd  `cmd:"" help:"Add an attribute of customers, and wait until it is there."`
	List attributeList `cmd:"" help:"List the attributes of customers."`
}

type attributeAdd struct {
	Name        string `arg:"" help:"As written in expressions: small letters, digits and _."`
	Type        string `required:"" enum:"text,number,money,bool,date,time,list" help:"${enum}."`
	Label       string `help:"How people call it."`
	Description string `help:"What it is, for those who ask for it."`
	Private     bool   `help:"Keep it from read-only users."`
}

// Run adds an attribute, and tells every few seconds that it waits.
func (c attributeAdd) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		begun := time.Now()
		_, err := a.customers.DefineAttribute(ctx, customers.Attribute{Name: c.Name, Label: c.Label, Type: customers.AttributeType(c.Type), Description: c.Description, Private: c.Private})
		if err != nil {
			return err
		}
		made, err := a.customers.AwaitAttribute(ctx, c.Name, func() {
			fmt.Fprintf(std.err, "Customers are read or written without a pause; waiting for one for %.0f s. The attribute is also added when you stop waiting.\n", time.Since(begun).Seconds())
		})
		if err == nil {
			fmt.Fprintf(std.out, "The attribute %s is there.\n", made.Name)
		}
		return err
	})
}

type attributeList struct{}

func (attributeList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		coming, err := a.customers.ComingAttributes(ctx)
		if err != nil {
			return err
		}
		ready, err := a.customers.Attributes(ctx)
		if err != nil {
			return err
		}
		t := newTable(std.out, "NAME", "TYPE", "LABEL", "STATE")
		for _, at := range append(ready, coming...) {
			t.row(at.Name, at.Type, at.Label, at.State)
		}
		return t.flush()
	})
}
