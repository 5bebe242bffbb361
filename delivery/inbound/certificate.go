package inbound

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificate is a TLS certificate in two PEM files. It is read again when they change, so that it can be renewed while the
// listener runs. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	kept    *tls.Certificate
	stamp   [2]stamp
	checked time.Time
}

// stamp tells one content of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

const lookEvery = time.Second // at most so often the files are looked at

// LoadCertificate reads a certificate with its chain, and its key. The error says what is wrong with them.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: slog.New(slog.DiscardHandler)}
	return c, c.read()
}

// read takes the files as they are now; on an error what was read before stays.
func (c *Certificate) read() error {
	now, err := c.look()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.kept, c.stamp = &pair, now
	return nil
}

func (c *Certificate) look() (now [2]stamp, err error) {
	for i, name := range [...]string{c.certFile, c.keyFile} {
		info, err := os.Stat(name) // of what a link leads to
		if err != nil {
			return now, err
		}
		now[i] = stamp{info.ModTime(), info.Size()}
	}
	return now, nil
}

// Present gives the certificate, read anew where the files have changed. While they do not fit together, as in the middle of
// a renewal, it gives the one before.
func (c *Certificate) Present() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < lookEvery {
		return c.kept
	}
	c.checked = time.Now()
	if now, err := c.look(); err == nil && now == c.stamp {
		return c.kept
	}
	if err := c.read(); err != nil {
		c.log.Warn("the certificate of the listener for inbound mail cannot be read again; the one before stays in use", "error", err)
	} else {
		c.log.Info("the certificate of the listener for inbound mail was read again", "until", c.kept.Leaf.NotAfter)
	}
	return c.kept
}

func (c *Certificate) config(log *slog.Logger) *tls.Config {
	c.log = log
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Present(), nil }}
}
