package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// version is set by the build.
var version = "dev"

// cli is the command line.
type cli struct {
	config

	Serve      serveCmd      `cmd:"" help:"Run the server: pages, REST, tracked links and workers."`
	Work       workCmd       `cmd:"" help:"Run workers only, beside a server on the same database."`
	Migrate    migrateCmd    `cmd:"" help:"Bring the database's schema up to date."`
	Import     importCmd     `cmd:"" help:"Import customers or orders from a CSV file."`
	Dedupe     dedupeCmd     `cmd:"" help:"Find the rows of one or two CSV files that are one person."`
	Duplicates duplicatesCmd `cmd:"" help:"Find customers who may be one person, decide, merge, and take merges back."`
	MergePurge mergePurgeCmd `cmd:"" name:"merge-purge" help:"Join house file, rented lists and suppression files, one name each; list, show, apply, cancel runs."`
	Bounce     bounceCmd     `cmd:"" help:"Read returned mails, complaints and automatic replies."`
	DKIM       dkimCmd       `cmd:"" name:"dkim" help:"Make keys that sign mails."`
	Customer   customerCmd   `cmd:"" help:"Export or erase one customer."`
	Attribute  attributeCmd  `cmd:"" help:"Add and list attributes of customers."`
	Suppress   suppressCmd   `cmd:"" help:"Load a file of people who must not be contacted."`
	Register   registerCmd   `cmd:"" help:"Keep national do-not-call registers."`
	Tracking   trackingCmd   `cmd:"" help:"Judge stored clicks and opens again."`
	Households householdsCmd `cmd:"" help:"Bring residences and households up to date."`
	Segment    segmentCmd    `cmd:"" help:"Count customers with an expression."`
	Campaign   campaignCmd   `cmd:"" help:"List, approve, launch, pause, resume, cancel or watch campaigns."`
	Report     reportCmd     `cmd:"" help:"Print the campaign report."`
	Demo       demoCmd       `cmd:"" help:"Run a whole campaign in a temporary folder and print its figures."`
	User       userCmd       `cmd:"" help:"Add, list, disable users; give a new one-time password."`
	Token      tokenCmd      `cmd:"" help:"Create, list, revoke API tokens."`
	Doctor     doctorCmd     `cmd:"" help:"Say what is wrong with this installation and how to mend it."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Help       helpCmd       `cmd:"" help:"Show help, for one command with: aldine help COMMAND."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	// A second interrupt kills: stop gives the signal back after the first one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs one command and gives the exit status: 0 done, 1 failed, 2 the command line or the configuration is wrong.
func run(ctx context.Context, args []string, std streams) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == "help" {
		args = append(args[1:], "--help")
	}
	if err := readSecretFiles(); err != nil {
		return complain(std.err, err, 2)
	}
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("aldine"),
		kong.Description("Direct-marketing campaigns by post, e-mail, SMS and telephone."),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { exit = code; panic(exiting{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: false}),
		kong.UsageOnError(),
	)
	if err != nil {
		return complain(std.err, err, 2)
	}
	parsed, exited, err := parse(parser, args)
	if exited {
		return exit
	}
	if err != nil {
		return complain(std.err, fmt.Errorf("%w (see: aldine help)", err), 2)
	}
	faults := c.check()
	if parsed.Command() == "serve" {
		faults = errors.Join(faults, checkListen(c.Serve.Listen))
	}
	if faults != nil {
		return complain(std.err, faults, 2)
	}
	parsed.BindTo(access.With(ctx, access.CLI), (*context.Context)(nil))
	parsed.Bind(&c.config, std)
	if err := parsed.Run(); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			if parsed.Command() == "serve" || parsed.Command() == "work" { // asked to stop while it was starting
				return 0
			}
			return complain(std.err, errors.New("stopped"), 1)
		}
		return complain(std.err, err, 1)
	}
	return 0
}

type exiting struct{}

// parse lets the parser print help and end without ending the process, so that tests can run the whole program.
func parse(parser *kong.Kong, args []string) (parsed *kong.Context, exited bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exiting); !ok {
				panic(r)
			}
			exited = true
		}
	}()
	parsed, err = parser.Parse(args)
	return parsed, false, err
}

// complain prints every line of an error and gives the status.
func complain(w io.Writer, err error, status int) int {
	var f *fault.Error
	if errors.As(err, &f) {
		fmt.Fprintf(w, "aldine: %s\n", f.Message)
		for _, field := range f.Fields {
			where := ""
			if field.Line > 0 {
				where = fmt.Sprintf(" (line %d, column %d)", field.Line, field.Column)
			}
			fmt.Fprintf(w, "  %s: %s%s\n", field.Name, field.Message, where)
		}
		if f.Kind == fault.Internal && f.Err != nil {
			fmt.Fprintf(w, "  %s\n", f.Err)
		}
		return status
	}
	fmt.Fprintf(w, "aldine: %s\n", err)
	return status
}

type versionCmd struct{}

func (versionCmd) Run(std streams) error {
	_, err := fmt.Fprintln(std.out, version)
	return err
}

type helpCmd struct{} // run turns "help" into --help before parsing

func (helpCmd) Run() error { return nil }
