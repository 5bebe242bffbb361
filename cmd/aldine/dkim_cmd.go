package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"aldine/delivery/email"
)

type dkimCmd struct {
	Key dkimKeyCmd `cmd:"" help:"Make a private key, and print the DNS record of its public half."`
}

type dkimKeyCmd struct {
	Selector string `required:"" help:"Name of the key in DNS; a new one for each key."`
	Domain   string `required:"" help:"Domain of the sender's address."`
	Type     string `default:"rsa" enum:"rsa,ed25519" help:"rsa (2048 bits; every mailbox provider knows it) or ed25519 (faster; some do not yet, so use it beside an rsa one)."`
	Out      string `placeholder:"FILE" help:"Where the key goes. Default: SELECTOR.DOMAIN.pem here."`
}

// Run never writes over a key.
func (c *dkimKeyCmd) Run(std streams) error {
	if !domainPattern.MatchString(c.Domain) {
		return fmt.Errorf("--domain: %q is not a domain such as shop.example", c.Domain)
	}
	text, key, err := email.NewDKIMKey(c.Type)
	if err != nil {
		return err
	}
	if _, err := email.NewDKIM(email.DKIMKey{Selector: c.Selector, Signer: key}); err != nil {
		return err
	}
	record, err := email.DKIMRecord(key.Public())
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = c.Selector + "." + c.Domain + ".pem"
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: give another name with --out, or move it away", c.Out)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "The private key is in %s; keep it secret, and use it with ALDINE_DKIM=%s=%s\n\nAdd this record to the DNS of %s:\n\n", c.Out, c.Selector, c.Out, c.Domain)
	printTXT(std.out, c.Selector+"._domainkey."+c.Domain, record)
	_, err = fmt.Fprintf(std.out, "\nThen see that all is well with: aldine doctor --domain %s --dkim %s=%s\n", c.Domain, c.Selector, c.Out)
	return err
}

// printTXT prints a record as zone files have it, in strings of at most 255 bytes.
func printTXT(w io.Writer, name, text string) {
	fmt.Fprintf(w, "%s. IN TXT (", name)
	for len(text) > 255 {
		fmt.Fprintf(w, " %q", text[:255])
		text = text[255:]
	}
	fmt.Fprintf(w, " %q )\n", text)
}
