package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

type mergePurgeCmd struct {
	Run    mergeRun    `cmd:"" default:"withargs" help:"Join the house file, rented lists and suppression files, and print what is left of each."`
	List   mergeList   `cmd:"" help:"List the runs."`
	Show   mergeShow   `cmd:"" help:"Print a run's report."`
	Resume mergeResume `cmd:"" help:"Carry on a run that was stopped."`
	Apply  mergeApply  `cmd:"" help:"Make the list of a run's net names."`
	Cancel mergeCancel `cmd:"" help:"Stop a run for good."`
	Delete mergeDelete `cmd:"" help:"Remove a run that was not applied."`
}

type mergeOutput struct {
	JSON bool   `name:"json" help:"Print the run with its report as JSON."`
	XLSX string `name:"xlsx" placeholder:"FILE" help:"Write the report as a workbook."`
	Net  string `name:"net" placeholder:"FILE" help:"Write the net names as CSV; a dash writes to standard output."`
}

type mergeRun struct {
	mergeOutput
	Name       string   `required:"" help:"The run's name; its list of net names has the same."`
	House      []string `sep:"none" placeholder:"EXPRESSION" help:"Which customers take part: an expression, or NAME:EXPRESSION; given twice, the first comes first. All by default."`
	NoHouse    bool     `name:"no-house" help:"The house file takes no part."`
	Rented     []string `sep:"none" placeholder:"NAME=FILE[,price=P]..." help:"A rented list, with its deal: price, running and extra (per thousand), net (share, like 0.85), currency, gross, uses, mail-by, priority; map.COLUMN=FIELD says what a column holds."`
	Suppress   []string `sep:"none" placeholder:"NAME=FILE" help:"A file of people who must not be written to; map.COLUMN=FIELD as above."`
	Level      string   `default:"person" enum:"person,household,residence,company" help:"What is one name: ${enum}."`
	Allocation string   `default:"random_within_hierarchy" enum:"hierarchy,random,random_within_hierarchy" help:"Which rented list keeps a name that several have: ${enum}."`
	Seed       int64    `help:"Of the random allocations; the same seed gives the same names."`
	Channel    string   `default:"all" enum:"all,email,sms,post,calls" help:"Whose suppressions count, besides those for all channels: ${enum}."`
	Threshold  float64  `placeholder:"P" help:"Probability from which two names are one person."`
	Review     float64  `placeholder:"P" help:"Probability from which a pair is counted as one to review."`
	Apply      bool     `help:"Make the list of the net names, too."`
}

func (c mergeRun) Run(ctx context.Context, cfg *config, std streams) error {
	inputs, err := c.inputs()
	if err != nil {
		return err
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		run, err := a.mergePurge.Create(ctx, mergepurge.NewRun{Name: c.Name, Level: c.Level, Allocation: c.Allocation, Channel: c.Channel, Seed: c.Seed,
			Threshold: c.Threshold, Review: c.Review})
		if err != nil {
			return err
		}
		for _, in := range inputs {
			if err = a.addMergeInput(ctx, run.ID, in); err != nil {
				break
			}
		}
		if err == nil {
			_, err = a.mergePurge.StartHeld(ctx, run.ID)
		}
		if err != nil { // a draft that nobody can go on with here
			return errors.Join(err, a.mergePurge.Delete(ctx, run.ID))
		}
		if run, err = a.workMerge(ctx, run.ID, std); err != nil {
			return err
		}
		if c.Apply && run.State == mergepurge.Finished {
			if _, err := a.mergePurge.ApplyHeld(ctx, run.ID); err != nil {
				return err
			}
			if run, err = a.workMerge(ctx, run.ID, std); err != nil {
				return err
			}
		}
		return a.printMerge(ctx, run, c.mergeOutput, std)
	})
}

func (a *app) addMergeInput(ctx context.Context, runID int64, in mergeInput) error {
	if in.Path != "" {
		file, err := os.Open(in.Path)
		if err != nil {
			return fault.BadField(in.Name, "%s cannot be read", in.Path)
		}
		defer file.Close()
		in.Body, in.FileName = file, filepath.Base(in.Path)
	}
	if _, err := a.mergePurge.AddInput(ctx, runID, in.NewInput); err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	return nil
}

// workMerge carries a run on and shows how far it is every few seconds. Interrupted, it says how to go on.
func (a *app) workMerge(ctx context.Context, runID int64, std streams) (mergepurge.Run, error) {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			select {
			case <-watch.Done():
				return
			case <-time.After(3 * time.Second):
			}
			if run, err := a.mergePurge.Run(watch, runID); err == nil && run.Total > 0 {
				fmt.Fprintf(std.err, "%s: %d %%\n", run.Phase, 100*run.Done/run.Total)
			}
		}
	}()
	run, err := a.mergePurge.Work(ctx, runID)
	if err != nil && ctx.Err() != nil {
		fmt.Fprintf(std.err, "Stopped. Carry on with: aldine merge-purge resume %d (a server does so by itself)\n", runID)
	}
	return run, err
}

type mergeResume struct {
	mergeOutput
	ID int64 `arg:"" help:"The run's number."`
}

func (c mergeResume) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		run, err := a.workMerge(ctx, c.ID, std)
		if err != nil {
			return err
		}
		return a.printMerge(ctx, run, c.mergeOutput, std)
	})
}

type mergeApply struct {
	ID int64 `arg:"" help:"The run's number."`
}

func (c mergeApply) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if _, err := a.mergePurge.ApplyHeld(ctx, c.ID); err != nil {
			return err
		}
		run, err := a.workMerge(ctx, c.ID, std)
		if err != nil {
			return err
		}
		return printApplied(run, std.out)
	})
}

type mergeCancel struct {
	ID int64 `arg:"" help:"The run's number."`
}

func (c mergeCancel) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if err := a.mergePurge.Cancel(ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "Run %d is cancelled.\n", c.ID)
		return nil
	})
}

type mergeDelete struct {
	ID int64 `arg:"" help:"The run's number."`
}

func (c mergeDelete) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if err := a.mergePurge.Delete(ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "Run %d is removed.\n", c.ID)
		return nil
	})
}

type mergeShow struct {
	mergeOutput
	ID int64 `arg:"" help:"The run's number."`
}

func (c mergeShow) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		run, err := a.mergePurge.Run(ctx, c.ID)
		if err != nil {
			return err
		}
		return a.printMerge(ctx, run, c.mergeOutput, std)
	})
}

type mergeList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c mergeList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		runs, err := a.mergePurge.Runs(ctx, 0, 200)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.out).Encode(runs)
		}
		t := newTable(std.out, "ID", "NAME", "LEVEL", "STATE", "PHASE", "CREATED")
		for _, r := range runs {
			t.row(r.ID, r.Name, r.Level, r.State, r.Phase, r.CreatedAt.Format("2006-01-02 15:04"))
		}
		return t.flush()
	})
}

// printMerge prints a run, and writes the files that are asked for.
func (a *app) printMerge(ctx context.Context, run mergepurge.Run, o mergeOutput, std streams) error {
	for _, f := range []struct {
		path  string
		write func(context.Context, int64, io.Writer) error
	}{{o.XLSX, a.mergePurge.WriteXLSX}, {o.Net, a.mergePurge.WriteNet}} {
		if f.path == "" {
			continue
		}
		path := f.path
		if path == "-" {
			path = ""
		}
		if err := writeTo(path, std, func(w io.Writer) error { return f.write(ctx, run.ID, w) }); err != nil {
			return err
		}
	}
	out := std.out
	if o.Net == "-" || o.XLSX == "-" {
		out = std.err
	}
	if o.JSON {
		return json.NewEncoder(out).Encode(run)
	}
	if run.Report == nil {
		fmt.Fprintf(out, "Run %d, %s: %s", run.ID, run.Name, run.State)
		if run.Phase != "" {
			fmt.Fprintf(out, ", %s %d of %d", run.Phase, run.Done, run.Total)
		}
		if run.Error != "" {
			fmt.Fprintf(out, ": %s", run.Error)
		}
		fmt.Fprintln(out)
		return nil
	}
	return printMergeReport(run, out)
}
