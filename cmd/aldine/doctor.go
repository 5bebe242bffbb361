package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"aldine/internal/pg"
	"aldine/migrations"
	"aldine/segments"
)

type doctorCmd struct {
	Domain   string   `help:"Explain instead what DNS says of this domain as a sender: SPF, DKIM, DMARC, and where returned mail goes."`
	Selector []string `help:"With --domain: DKIM selectors to look at, of a mail server that signs; those of --dkim are looked at anyway."`
	Figures  bool     `help:"Compare instead the figures that reports show with the rows they stand for: a sample of each campaign."`
	All      bool     `help:"With --figures: all rows."`
	Relay    []string `placeholder:"ADDRESS" help:"With --domain: the address from which your mail server reaches others, where it is not that of --smtp-url."`
	Resolver string   `placeholder:"HOST:PORT" help:"With --domain: ask this name server instead of the system's."`
}

// finding is what the doctor says of one thing; mend is empty where all is well.
type finding struct{ what, state, mend string }

// Run checks one thing after the other and says how to mend what is wrong. It fails if anything is.
func (c *doctorCmd) Run(ctx context.Context, cfg *config, std streams) error {
	if c.Domain != "" {
		findings, err := c.domain(ctx, cfg)
		if err != nil {
			return err
		}
		return tell(std.out, findings)
	}
	if c.Figures {
		findings, err := c.figures(ctx, cfg, std)
		if err != nil {
			return err
		}
		return tell(std.out, findings)
	}
	findings := []finding{checkFolder(cfg.Data), checkSpace("disk space", cfg.Data)}
	// Print files and uploads may lie on disks of their own.
	for _, name := range []string{"print", "imports"} {
		if dir := filepath.Join(cfg.Data, name); diskOf(dir) != 0 && diskOf(dir) != diskOf(cfg.Data) {
			findings = append(findings, checkSpace("disk space for "+name, dir))
		}
	}
	a := &app{cfg: cfg, now: time.Now, log: cfg.logger(std.err)}
	defer a.close()
	if err := a.openDatabase(ctx); err != nil {
		mend := "check the address and that the server runs and lets this user in"
		if cfg.DatabaseURL == "" {
			mend = "run make setup, or set ALDINE_DATABASE_URL; the log is " + filepath.Join(cfg.Data, "postgres.log")
		}
		if errors.Is(err, pg.ErrNoPostgres) {
			mend = "run make setup to install PostgreSQL, or set ALDINE_DATABASE_URL"
		}
		findings = append(findings, finding{"database", err.Error(), mend})
	} else {
		findings = append(findings, a.checkDatabase(ctx)...)
	}
	findings = append(findings, checkSender(ctx, "mail server", cfg.SMTPURL), checkSender(ctx, "SMS gateway", cfg.SMSURL), checkPublic(ctx, cfg.PublicURL))
	if cfg.BounceDomain != "" {
		findings = append(findings, checkInbound(ctx, cfg))
	}
	return tell(std.out, findings)
}

// tell prints findings and fails if anything is wrong.
func tell(w io.Writer, findings []finding) error {
	ill := 0
	for _, f := range findings {
		mark := "ok  "
		if f.mend != "" {
			mark = "BAD "
			ill++
		}
		fmt.Fprintf(w, "%s%s: %s\n", mark, f.what, f.state)
		if f.mend != "" {
			fmt.Fprintf(w, "    to mend it: %s\n", f.mend)
		}
	}
	if ill > 0 {
		return fmt.Errorf("%d of %d checks failed", ill, len(findings))
	}
	return nil
}

func checkFolder(dir string) finding {
	f := finding{what: "data folder " + dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.state, f.mend = err.Error(), "choose another folder with ALDINE_DATA, or make this one writable"
		return f
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		f.state, f.mend = "not writable", "make it writable for this user, or choose another one with ALDINE_DATA"
		return f
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	f.state = "writable"
	return f
}

// diskOf gives the number of the disk that a folder is on, 0 where there is none.
func diskOf(dir string) uint64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0
	}
	return uint64(st.Dev) //nolint:unconvert // its type differs between systems
}

func checkSpace(what, dir string) finding {
	f := finding{what: what}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		f.state, f.mend = err.Error(), "see that the data folder exists"
		return f
	}
	free := st.Bavail * uint64(st.Bsize) >> 20
	f.state = fmt.Sprintf("%d MB free", free)
	if free < 1024 {
		f.mend = "free at least 1 GB: the database and print files need room"
	}
	return f
}

func (a *app) checkDatabase(ctx context.Context) []finding {
	var version string
	var number int
	if err := a.pool.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int`).Scan(&version, &number); err != nil {
		return []finding{{"database", err.Error(), "see the server's log"}}
	}
	found := []finding{{what: "database", state: "PostgreSQL " + version}}
	if number < 150000 || number >= 180000 {
		found[0].mend = "use PostgreSQL 15, 16 or 17"
	}
	schema := finding{what: "schema", state: "up to date"}
	if n, err := migrations.Pending(ctx, a.pool); err != nil {
		schema.state, schema.mend = err.Error(), "run aldine migrate"
	} else if n > 0 {
		schema.state, schema.mend = fmt.Sprintf("%d migrations are missing", n), "run aldine migrate"
	}
	jobs := finding{what: "jobs", state: "none given up"}
	var given int64
	if err := a.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state = 'discarded'`).Scan(&given); err != nil {
		jobs.state, jobs.mend = err.Error(), "run aldine migrate"
	} else if given > 0 {
		jobs.state, jobs.mend = fmt.Sprintf("%d were given up after many tries", given), "read their errors in Settings, Jobs"
	}
	found = append(found, schema, jobs, a.checkHits(ctx), a.checkRegisters(ctx))
	// Attributes from before their names became words of the expressions.
	if catalog, err := segments.LoadCatalog(ctx, a.pool); err == nil {
		for _, name := range catalog.Hidden() {
			found = append(found, finding{"attribute " + name, "expressions cannot ask it: the name means something else there", "define an attribute of another name and import its values there"})
		}
	}
	return found
}

func checkSender(ctx context.Context, what, address string) finding {
	f := finding{what: what, state: "the built-in sandbox; nothing leaves this machine"}
	if address == "" {
		return f
	}
	u, err := url.Parse(address)
	if err != nil {
		return finding{what, "the address cannot be read", "see aldine help"}
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465", "http": "80", "https": "443"}[u.Scheme]
	}
	at := net.JoinHostPort(u.Hostname(), port)
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", at)
	if err != nil {
		f.state, f.mend = "does not answer at "+at, "check the address, the firewall and that the server runs"
		return f
	}
	_ = conn.Close()
	f.state = "answers at " + at
	return f
}

func checkPublic(ctx context.Context, address string) finding {
	f := finding{what: "public address", state: "not set; tracked links lead to the listening address, which only this machine reaches"}
	if address == "" {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/healthz", nil)
	if err != nil {
		return finding{f.what, err.Error(), "see aldine help"}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.state, f.mend = address+" does not answer", "start aldine serve and see that the proxy in front passes requests on"
		return f
	}
	_ = resp.Body.Close()
	f.state = address + " answers"
	if resp.StatusCode != http.StatusOK {
		f.state, f.mend = fmt.Sprintf("%s/healthz answers %s", address, resp.Status), "see that the proxy in front passes requests on to aldine serve"
	}
	return f
}
