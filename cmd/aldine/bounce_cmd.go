package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"aldine/delivery/bounce"
)

// bounceCmd reads what mail servers send back.
type bounceCmd struct {
	Parse bounceParseCmd `cmd:"" help:"Say what returned mails mean for the addresses they are about."`
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
