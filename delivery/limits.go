package delivery

import (
	"strings"
	"sync"
	"time"

	"aldine/internal/settings"
)

// limits are the rates that a mail has to keep: of all mails and of those to one domain. They hold for this process; with
// two that send, each has its own.
type limits struct {
	mu      sync.Mutex
	account bucket
	domains map[string]*bucket
}

// bucket holds what may be sent at once, at most a second's worth, and fills at a rate.
type bucket struct {
	tokens  float64
	at      time.Time
	waiting int // messages put back because of it
}

// rate is how many a minute; 0 for any number.
type rate int

func (b *bucket) fill(r rate, now time.Time) {
	most := max(1, float64(r)/60)
	if b.at.IsZero() {
		b.tokens = most
	} else {
		b.tokens = min(most, b.tokens+now.Sub(b.at).Minutes()*float64(r))
	}
	b.at = now
}

const manyDomains = 10_000 // kept apart; then all are forgotten, and each may get a second's worth at once again

func (l *limits) domain(name string, r rate, now time.Time) *bucket {
	b := l.domains[name]
	if b == nil {
		if l.domains == nil || len(l.domains) >= manyDomains {
			l.domains = map[string]*bucket{}
		}
		b = &bucket{}
		l.domains[name] = b
	}
	b.fill(r, now)
	return b
}

// take tells whether a mail to an address may go now, and if so counts it.
func (l *limits) take(v *settings.Values, address string, now time.Time) bool {
	if v.EmailPerMinute == 0 && v.EmailDomainMinute == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var domain *bucket
	if v.EmailDomainMinute > 0 {
		if domain = l.domain(domainOf(address), rate(v.EmailDomainMinute), now); domain.tokens < 1 {
			return false
		}
	}
	if v.EmailPerMinute > 0 {
		if l.account.fill(rate(v.EmailPerMinute), now); l.account.tokens < 1 {
			return false
		}
		l.account.tokens--
	}
	if domain != nil {
		domain.tokens--
	}
	return true
}

// queue counts mails that must be put back, and tells when the first of them may be expected to go: behind those that wait
// already. until is called when that time has come.
func (l *limits) queue(v *settings.Values, addresses []string) (wait time.Duration, until func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	counted := map[*bucket]int{}
	now := time.Now()
	first := time.Duration(-1)
	for _, a := range addresses {
		w := time.Duration(0)
		if v.EmailDomainMinute > 0 {
			b := l.domain(domainOf(a), rate(v.EmailDomainMinute), now)
			w = time.Duration(float64(b.waiting-counted[b]) / float64(v.EmailDomainMinute) * float64(time.Minute))
			b.waiting++
			counted[b]++
		}
		if first < 0 || w < first {
			first = w
		}
	}
	if v.EmailPerMinute > 0 {
		b := &l.account
		first = max(first, time.Duration(float64(b.waiting)/float64(v.EmailPerMinute)*float64(time.Minute)))
		b.waiting += len(addresses)
		counted[b] += len(addresses)
	}
	return max(first, time.Second), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for b, n := range counted {
			b.waiting = max(0, b.waiting-n)
		}
	}
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
