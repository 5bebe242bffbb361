package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"aldine/delivery/email"
	"aldine/delivery/inbound"
)

// config is what a process needs to know before it can start. Every field is a flag and an ALDINE_* variable; the
// secrets among them may also be given as a file, NAME_FILE, so that they show up neither in a process list nor in
// an environment dump.
type config struct {
	Data          string `env:"ALDINE_DATA" default:"./data" placeholder:"DIR" help:"Folder for the private database, uploads and print files."`
	DatabaseURL   string `name:"database-url" env:"ALDINE_DATABASE_URL" placeholder:"URL" help:"Use this PostgreSQL (15 to 17) instead of a private one."`
	PublicURL     string `name:"public-url" env:"ALDINE_PUBLIC_URL" placeholder:"URL" help:"Address under which customers reach tracked links. Default: the listening address."`
	SMTPURL       string `name:"smtp-url" env:"ALDINE_SMTP_URL" placeholder:"URL" help:"Mail server, smtp://user:password@host:port. Default: the built-in sandbox; nothing leaves the machine."`
	SMSURL        string `name:"sms-url" env:"ALDINE_SMS_URL" placeholder:"URL" help:"SMS gateway. Default: the built-in sandbox."`
	SMSToken      string `name:"sms-token" env:"ALDINE_SMS_TOKEN" placeholder:"TOKEN" help:"Bearer token of the SMS gateway."`
	SecretKey     string `name:"secret-key" env:"ALDINE_SECRET_KEY" placeholder:"KEY" help:"Key that signs tracked links, at least 32 characters. Default: made once and kept in the database."`
	Connections   int    `name:"email-connections" env:"ALDINE_EMAIL_CONNECTIONS" default:"20" help:"Connections to the mail server at most; as many as help are opened."`
	BounceDomain  string `name:"bounce-domain" env:"ALDINE_BOUNCE_DOMAIN" placeholder:"DOMAIN" help:"Domain of signed return paths, whose mail reaches this installation. Default: none; mails come back to the sender's own address."`
	InboundListen string `name:"inbound-listen" env:"ALDINE_INBOUND_LISTEN" placeholder:"HOST:PORT" help:"Address at which aldine serve takes in bounces, complaints and answers by SMTP, such as 127.0.0.1:2525. Default: none."`
	InboundCert   string `name:"inbound-cert" env:"ALDINE_INBOUND_CERT" placeholder:"FILE" help:"Certificate (PEM, with its chain) with which that listener offers STARTTLS; read again when it changes. Default: no TLS."`
	InboundKey    string `name:"inbound-key" env:"ALDINE_INBOUND_KEY" placeholder:"FILE" help:"Private key of that certificate (PEM)."`
	DKIM          string `name:"dkim" env:"ALDINE_DKIM" placeholder:"SELECTOR=FILE,…" help:"Sign mails with these private keys; see aldine dkim key. Default: the mail server does it, or nobody."`
	LogLevel      string `name:"log-level" env:"ALDINE_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	LogFormat     string `name:"log-format" env:"ALDINE_LOG_FORMAT" default:"text" help:"text or json."`

	signer      *email.DKIM          // of DKIM, read by check
	certificate *inbound.Certificate // of InboundCert, read by check; nil for none
}

var domainPattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// secrets are the variables that may come from a file.
var secrets = []string{"ALDINE_DATABASE_URL", "ALDINE_SMTP_URL", "ALDINE_SMS_TOKEN", "ALDINE_SECRET_KEY"}

// readSecretFiles sets each secret variable whose NAME_FILE is given from that file.
func readSecretFiles() error {
	var faults []error
	for _, name := range secrets {
		path := os.Getenv(name + "_FILE")
		switch {
		case path == "":
		case os.Getenv(name) != "":
			faults = append(faults, fmt.Errorf("%s and %s_FILE are both set: keep one", name, name))
		default:
			body, err := os.ReadFile(path)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s_FILE: %w", name, err))
				continue
			}
			if err := os.Setenv(name, strings.TrimSpace(string(body))); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return errors.Join(faults...)
}

// check finds all faults of the configuration at once and makes paths absolute.
func (c *config) check() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	abs, err := filepath.Abs(c.Data)
	if err != nil || c.Data == "" {
		bad("ALDINE_DATA (--data): %q is not a folder's path", c.Data)
	}
	c.Data = abs
	web := func(name, value string) {
		if value == "" {
			return
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("%s: not a web address such as https://news.example.org", name)
		}
	}
	web("ALDINE_PUBLIC_URL (--public-url)", c.PublicURL)
	web("ALDINE_SMS_URL (--sms-url)", c.SMSURL)
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		bad("ALDINE_DATABASE_URL (--database-url): should look like postgres://user:password@host:5432/aldine")
	}
	if c.SMTPURL != "" {
		if u, err := url.Parse(c.SMTPURL); err != nil || u.Host == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
			bad("ALDINE_SMTP_URL (--smtp-url): should look like smtp://user:password@host:587")
		}
	}
	if c.SecretKey != "" && len(c.SecretKey) < 32 {
		bad("ALDINE_SECRET_KEY (--secret-key): %d characters are too few, use at least 32", len(c.SecretKey))
	}
	if c.Connections < 1 || c.Connections > 200 {
		bad("ALDINE_EMAIL_CONNECTIONS (--email-connections): %d is not between 1 and 200", c.Connections)
	}
	if c.BounceDomain != "" && !domainPattern.MatchString(c.BounceDomain) {
		bad("ALDINE_BOUNCE_DOMAIN (--bounce-domain): %q is not a domain such as bounces.shop.example", c.BounceDomain)
	}
	if c.InboundListen != "" {
		if _, _, err := net.SplitHostPort(c.InboundListen); err != nil {
			bad("ALDINE_INBOUND_LISTEN (--inbound-listen): %q is not host:port, such as 127.0.0.1:2525", c.InboundListen)
		}
		if c.BounceDomain == "" {
			bad("ALDINE_INBOUND_LISTEN (--inbound-listen): needs ALDINE_BOUNCE_DOMAIN, the domain whose mail is taken in")
		}
	}
	switch {
	case c.InboundCert == "" && c.InboundKey == "":
	case c.InboundCert == "" || c.InboundKey == "" || c.InboundListen == "":
		bad("ALDINE_INBOUND_CERT and ALDINE_INBOUND_KEY (--inbound-cert, --inbound-key): give both, together with ALDINE_INBOUND_LISTEN")
	default:
		if c.certificate, err = inbound.LoadCertificate(c.InboundCert, c.InboundKey); err != nil {
			bad("ALDINE_INBOUND_CERT (--inbound-cert): %w", err)
		}
	}
	if c.DKIM != "" {
		if c.signer, err = email.LoadDKIM(c.DKIM); err != nil {
			bad("ALDINE_DKIM (--dkim): %w", err)
		}
	}
	var level slog.Level
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		bad("ALDINE_LOG_LEVEL (--log-level): %q is none of debug, info, warn, error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		bad("ALDINE_LOG_FORMAT (--log-format): %q is neither text nor json", c.LogFormat)
	}
	return errors.Join(faults...)
}

// checkListen refuses an address that can't be listened on.
func checkListen(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("ALDINE_LISTEN (--listen): %q is not host:port, such as 127.0.0.1:8080", addr)
	}
	return nil
}

// logger writes structured lines to w.
func (c *config) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // check has seen to it
	opts := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
