package access

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"math/big"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/time/rate"

	"aldine/internal/fault"
)

// A password has at least minPassword characters; the upper bound keeps hashing cheap for strangers' input.
const (
	minPassword  = 10
	maxPassword  = 1000 // bytes
	hashesAtOnce = 2    // each takes 19 MiB
)

// The parameters that OWASP recommends; kept in each hash, so they can grow without old passwords failing.
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// noHash is compared against where no user has the e-mail, so that the answer takes as long as for a wrong password.
var noHash = sync.OnceValue(func() string {
	h, err := argon2id.CreateHash(randomText(minPassword), hashParams)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return h
})

func checkPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return fault.BadField("password", "A password needs at least %d characters", minPassword)
	case len(password) > maxPassword:
		return fault.BadField("password", "A password may have at most %d bytes", maxPassword)
	case strings.TrimSpace(password) == "":
		return fault.BadField("password", "A password cannot be blank")
	}
	return nil
}

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	release, err := s.hashSlot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return argon2id.CreateHash(password, hashParams)
}

func (s *Service) matches(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > maxPassword {
		password = ""
	}
	release, err := s.hashSlot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	return argon2id.ComparePasswordAndHash(password, hash)
}

func (s *Service) hashSlot(ctx context.Context) (release func(), err error) {
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// attempts slows down guessing: a bucket of five failed sign-ins per e-mail address, refilled every 20 seconds. The
// buckets are a fixed number, chosen by a hash that strangers cannot predict, so memory is bounded and nobody can
// push another's bucket out.
type attempts struct {
	mu      sync.Mutex
	seed    maphash.Seed
	buckets [4096]*rate.Limiter
}

func newAttempts() *attempts { return &attempts{seed: maphash.MakeSeed()} }

const (
	attemptsAtOnce = 5
	attemptEvery   = 20 * time.Second
)

// try takes one attempt for the e-mail, or says how long to wait; undo gives it back after a success.
func (a *attempts) try(email string, now time.Time) (undo func(), wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := maphash.String(a.seed, email) % uint64(len(a.buckets))
	if a.buckets[i] == nil {
		a.buckets[i] = rate.NewLimiter(rate.Every(attemptEvery), attemptsAtOnce)
	}
	r := a.buckets[i].ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return nil, wait
	}
	return func() { r.CancelAt(now) }, 0
}

// alphabet has no characters that are mistaken for one another, since people type one-time passwords.
const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func randomText(n int) string {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // documented never to happen
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b)
}
