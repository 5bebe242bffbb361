package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"aldine/customers"
	"aldine/segments"
)

type migrateCmd struct{}

func (migrateCmd) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(*app) error {
		fmt.Fprintln(std.out, "The schema is up to date.")
		return nil
	})
}

type importCmd struct {
	Customers importCustomers `cmd:"" help:"Import customers."`
	Orders    importOrders    `cmd:"" help:"Import orders: order_id, customer_external_id, ordered_at, quantity, amount, currency."`
}

type importFile struct {
	File    string            `arg:"" type:"existingfile" help:"CSV file; encoding and delimiter are found out."`
	Map     map[string]string `placeholder:"COLUMN=FIELD" help:"Field that a column fills, or nothing to leave it out. The others are proposed from the header."`
	Rejects string            `placeholder:"FILE" help:"Write the rejected rows with line and reason to this CSV file."`
	DryRun  bool              `help:"Change nothing: tell what the import would do."`
	JSON    bool              `name:"json" help:"Print the result as JSON."`
}

type importCustomers struct {
	importFile
	List string `help:"List that the customers come from; made if it does not exist."`
}

func (c importCustomers) Run(ctx context.Context, cfg *config, std streams) error {
	return c.run(ctx, cfg, std, "customers", c.List)
}

type importOrders struct{ importFile }

func (c importOrders) Run(ctx context.Context, cfg *config, std streams) error {
	return c.run(ctx, cfg, std, "orders", "")
}

func (c importFile) run(ctx context.Context, cfg *config, std streams, kind, list string) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return withApp(ctx, cfg, std, func(a *app) error {
		begun := time.Now()
		im, err := a.customers.StartImport(ctx, customers.StartImport{Kind: kind, FileName: filepath.Base(c.File), List: list, Mapping: c.Map, Body: file, Hold: true, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		if im, err = a.customers.RunImport(ctx, im.ID); err != nil {
			return err
		}
		if c.DryRun { // its file is not needed any more
			if err := a.customers.Cancel(ctx, im.ID); err != nil {
				return err
			}
		}
		if c.Rejects != "" && im.Rejected > 0 {
			out, err := os.Create(c.Rejects)
			if err != nil {
				return err
			}
			if err := a.customers.WriteRejects(ctx, im.ID, out); err != nil {
				_ = out.Close()
				return err
			}
			if err := out.Close(); err != nil {
				return err
			}
		}
		if c.JSON {
			return json.NewEncoder(std.out).Encode(im)
		}
		seconds := time.Since(begun).Seconds()
		if c.DryRun {
			fmt.Fprintln(std.out, "A dry run: nothing was changed.")
		}
		fmt.Fprintf(std.out, "%d rows in %.1f s (%.0f rows/s)\n", im.Rows, seconds, float64(im.Rows)/max(seconds, 0.001))
		t := newTable(std.out, "CREATED", "UPDATED", "UNCHANGED", "DUPLICATES", "REJECTED")
		t.row(im.Created, im.Updated, im.Unchanged, im.Duplicates, im.Rejected)
		if err := t.flush(); err != nil {
			return err
		}
		if err := writeImportReport(std.out, im); err != nil {
			return err
		}
		if c.DryRun {
			return nil
		}
		if im.Rejected > 0 && c.Rejects == "" {
			if err := a.customers.WriteRejects(ctx, im.ID, std.err); err != nil {
				return err
			}
		}
		return a.hintHouseholds(ctx, std)
	})
}

// writeImportReport writes what an import or its dry run found besides its counts.
func writeImportReport(out io.Writer, im customers.Import) error {
	if im.Repaired > 0 {
		fmt.Fprintf(out, "%d postal codes got back their leading zeros.\n", im.Repaired)
	}
	r := im.Report
	if r == nil {
		return nil
	}
	if im.DryRun && im.Kind == "customers" {
		fmt.Fprintf(out, "%d customers would join the list; %d households, as known now, would have new or changed members.\n", r.Joined, r.Households)
	}
	for _, c := range r.Consents {
		fmt.Fprintf(out, "Consent to %s would become %s for %d customers.\n", c.Channel, map[bool]string{true: "yes", false: "no"}[c.Granted], c.Customers)
	}
	if r.Rejected == nil {
		return nil
	}
	t := newTable(out, "REJECTED", "BECAUSE", "FIRST LINE", "WHERE IT READS")
	for _, b := range r.Rejected {
		t.row(b.Rows, b.Reason, b.Line, b.Example)
	}
	return t.flush()
}

type segmentCmd struct {
	Count segmentCount `cmd:"" help:"Count the customers that an expression selects; the number is alone on the last line."`
}

type segmentCount struct {
	Expression string `arg:"" help:"The expression, such as 'orders_count >= 2'; a dash reads it from standard input."`
	Estimate   bool   `help:"Estimate from a sample, with a range."`
}

func (c segmentCount) Run(ctx context.Context, cfg *config, std streams) error {
	expression, err := argOrInput(c.Expression, std)
	if err != nil {
		return err
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		mode := segments.Exact
		if c.Estimate {
			mode = segments.Estimate
		}
		n, err := a.segments.Count(ctx, expression, mode)
		if err != nil {
			return err
		}
		if !n.Exact {
			fmt.Fprintf(std.out, "between %d and %d\n", n.Low, n.High)
		}
		fmt.Fprintln(std.out, n.Count)
		return nil
	})
}
