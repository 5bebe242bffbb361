package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"aldine/delivery/bounce"
	"aldine/delivery/inbound"
)

// bounceCmd reads what mail servers send back.
type bounceCmd struct {
	Parse bounceParseCmd `cmd:"" help:"Say what returned mails mean for the addresses they are about."`
	Again bounceAgainCmd `cmd:"" help:"Judge the mails that are kept by the rules of today, and say which mean something else now."`
}

type bounceAgainCmd struct {
	Apply bool `help:"Record what they mean now in place of what was recorded. Suppressions stay."`
}

// Run prints one JSON line for each mail that is judged otherwise.
func (c *bounceAgainCmd) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		out := json.NewEncoder(std.out)
		n, err := a.inbound.Again(ctx, c.Apply, func(j inbound.Judged) error { return out.Encode(j) })
		fmt.Fprintf(std.err, "%d mails looked at\n", n)
		return err
	})
}

type bounceParseCmd struct {
	Files []string `arg:"" help:"Mails as files, one each or a mailbox; - for standard input."`
	JSON  bool     `help:"One JSON object a line for each recipient."`
}

// parsed is one line of the output.
type parsed struct {
	File string `json:"file"`
	bounce.Report
}

// Run reads every file; one that cannot be read does not keep the others from being read.
func (c *bounceParseCmd) Run(std streams) error {
	failed := 0
	out := newTable(std.out, "file", "recipient", "kind", "status", "reason")
	for _, name := range c.Files {
		reports, err := parseBounce(std.in, name)
		if err != nil {
			failed++
			fmt.Fprintf(std.err, "%s: %v\n", name, err)
			continue
		}
		for _, r := range reports {
			if c.JSON {
				if err := json.NewEncoder(std.out).Encode(parsed{name, r}); err != nil {
					return err
				}
				continue
			}
			out.row(name, r.Recipient, string(r.Kind), r.Status, r.Reason)
		}
	}
	if !c.JSON {
		if err := out.flush(); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files could not be read", failed, len(c.Files))
	}
	return nil
}

func parseBounce(in io.Reader, name string) ([]bounce.Report, error) {
	if name == "-" {
		return bounce.Parse(in)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return bounce.Parse(file)
}
