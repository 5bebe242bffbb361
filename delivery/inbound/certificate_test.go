package inbound_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"aldine/delivery/inbound"
)

// certificate writes a new one for the domain into dir, and gives it.
func certificate(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

// A mail server hands mails over by TLS, with the certificate of the day.
func TestTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	dir := t.TempDir()
	roots := certificate(t, dir, 1)
	c, err := inbound.LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := w.s.Listen("127.0.0.1:0", c, inbound.Limits{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	secure := func(roots *x509.CertPool) (serial string, err error) {
		client, err := smtp.DialStartTLS(server.Addr(), &tls.Config{ServerName: domain, RootCAs: roots})
		if err != nil {
			return "", err
		}
		defer client.Close()
		raw := strings.ReplaceAll(dsn("anna@example.org", "failed", "5.1.1", gone, ""), "\n", "\r\n")
		if err := client.SendMail("", []string{w.back(1, 13)}, strings.NewReader(raw)); err != nil {
			return "", err
		}
		state, _ := client.TLSConnectionState()
		return state.PeerCertificates[0].SerialNumber.String(), client.Quit()
	}
	for range 5 { // more than there may be at a time: each is let go
		if serial, err := secure(roots); err != nil || serial != "1" {
			t.Fatal(serial, err)
		}
	}
	w.want(bounced, "1/13")
	plain, err := smtp.Dial(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.SendMail("", []string{w.back(2, 13)}, strings.NewReader(strings.ReplaceAll(dsn("pair@example.org", "failed", "5.1.1", gone, ""), "\n", "\r\n"))); err != nil {
		t.Error("without TLS:", err)
	}
	_ = plain.Close()
	if _, err := secure(x509.NewCertPool()); err == nil {
		t.Error("the certificate is taken for somebody else's")
	}
	// In the middle of a renewal, the one before is in use; after it the new one.
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("half of a"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if serial, err := secure(roots); err != nil || serial != "1" {
		t.Errorf("during the renewal: %s %v", serial, err)
	}
	roots = certificate(t, dir, 2)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		serial, err := secure(roots)
		if err == nil && serial == "2" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the new certificate is not in use: %s %v", serial, err)
		}
	}
	if _, err := inbound.LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "none.pem")); err == nil {
		t.Error("a key that is not there is taken")
	}
}
