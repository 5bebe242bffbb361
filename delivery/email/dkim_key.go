package email

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// LoadDKIM reads "selector=file", several with commas between them. The files hold private keys as PEM, and nobody but their
// owner (and group) may read them. The error names every fault.
func LoadDKIM(spec string) (*DKIM, error) {
	var keys []DKIMKey
	var faults []error
	for part := range strings.SplitSeq(spec, ",") {
		selector, path, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || path == "" {
			faults = append(faults, fmt.Errorf("%q is not selector=file", part))
			continue
		}
		signer, err := readKey(path)
		if err != nil {
			faults = append(faults, fmt.Errorf("DKIM key %s: %w", path, err))
			continue
		}
		keys = append(keys, DKIMKey{selector, signer})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return NewDKIM(keys...)
}

func readKey(path string) (crypto.Signer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("everybody on this machine may read it: chmod 600 %s", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseDKIMKey(raw)
}

// minRSA is what RFC 8301 asks of verifiers to accept; 2,048 bits are usual.
const minRSA = 1024

// ParseDKIMKey reads a private key as PEM: PKCS #8 or, for RSA, PKCS #1.
func ParseDKIMKey(raw []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errors.New("this is not a key in PEM form")
	}
	var key any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("this is not a private key: %w", err)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too weak: mailbox providers take 1024 at least, use 2048", k.N.BitLen())
		}
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("DKIM knows RSA and Ed25519 keys, this is %T", key)
}

// NewDKIMKey makes a private key of a kind, rsa or ed25519, as PEM.
func NewDKIMKey(kind string) (pemText []byte, key crypto.Signer, err error) {
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, nil, fmt.Errorf("%q is no kind of DKIM key: use rsa or ed25519", kind)
	}
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), key, nil
}

// DKIMRecord is the text that stands at selector._domainkey.domain for a public key.
func DKIMRecord(public crypto.PublicKey) (string, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(k)
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), err
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k), nil
	}
	return "", fmt.Errorf("DKIM knows RSA and Ed25519 keys, this is %T", public)
}
