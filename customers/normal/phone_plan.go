package normal

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Asking the numbering plans takes longer than all the rest of a row, so their verdicts are remembered: not by number, but by
// country, length and as many leading digits as the verdict depends on. What it does not depend on is proved from the patterns
// of the plans (phone_proof.go), so that a remembered verdict is what asking again would give.

// phonePlan remembers the verdicts on numbers of one length, written without a country code in one country or with one.
type phonePlan struct{ root phoneNode }

// phoneNode is what is known after some digits: a verdict, or what comes after the next digit.
type phoneNode struct {
	verdict atomic.Pointer[phoneVerdict]
	next    [10]atomic.Pointer[phoneNode]
}

// phoneVerdict is what holds for all numbers with the same leading digits.
type phoneVerdict struct {
	ask   bool   // the plans have to be asked each time
	err   error  // what is wrong with them
	code  string // of a good number: plus and country code as far as they are not among the digits
	strip int    // and how many leading digits are not part of it
}

type phonePlanKey struct {
	country string // empty for numbers with a plus
	n       int
}

const (
	phoneNodesKept = 100_000 // beyond, nothing more is learned
	leastTail      = 2       // a verdict on fewer than a hundred numbers is not worth remembering
)

var phonePlans struct {
	sync.RWMutex
	plans map[phonePlanKey]*phonePlan
	nodes atomic.Int64
}

// planOf finds the plan of numbers like this one.
func (p *phoneDigits) planOf(country string) *phonePlan {
	if p.plus {
		country = ""
	}
	key := phonePlanKey{country, p.n}
	phonePlans.RLock()
	plan := phonePlans.plans[key]
	phonePlans.RUnlock()
	if plan != nil {
		return plan
	}
	phonePlans.Lock()
	defer phonePlans.Unlock()
	if plan = phonePlans.plans[key]; plan == nil {
		if phonePlans.plans == nil {
			phonePlans.plans = make(map[phonePlanKey]*phonePlan)
		}
		plan = new(phonePlan)
		phonePlans.plans[key] = plan
	}
	return plan
}

// verdict gives what parsePhone gives for the number, which s is as it was written.
func (p *phoneDigits) verdict(s, country string) (string, error) {
	if !p.plus && !knownCountry(country) {
		return parsePhone(s, country)
	}
	plan := p.planOf(country)
	node := &plan.root
	for i := 0; ; i++ {
		if v := node.verdict.Load(); v != nil {
			if v.ask {
				return parsePhone(s, country)
			}
			return p.apply(v)
		}
		if i == p.n {
			break
		}
		if node = node.next[p.digits[i]].Load(); node == nil {
			break
		}
	}
	e164, err := parsePhone(s, country)
	if phonePlans.nodes.Load() < phoneNodesKept {
		p.learn(plan, country, e164, err)
	}
	return e164, err
}

// apply writes the number as a verdict says.
func (p *phoneDigits) apply(v *phoneVerdict) (string, error) {
	if v.err != nil {
		return "", v.err
	}
	var b [24]byte
	n := copy(b[:], v.code)
	for _, d := range p.digits[v.strip:p.n] {
		b[n] = '0' + d
		n++
	}
	return string(b[:n]), nil
}

// learn remembers a verdict for all numbers that share it for certain.
func (p *phoneDigits) learn(plan *phonePlan, country, e164 string, err error) {
	v, depth := &phoneVerdict{err: err}, p.depends(country)
	if depth > p.n-leastTail || err == nil && !p.explain(v, e164) {
		v, depth = &phoneVerdict{ask: true}, p.n-leastTail
	}
	node := &plan.root
	for _, d := range p.digits[:depth] {
		next := node.next[d].Load()
		if next == nil {
			phonePlans.nodes.Add(1)
			next = new(phoneNode)
			if !node.next[d].CompareAndSwap(nil, next) {
				next = node.next[d].Load()
			}
		}
		node = next
	}
	node.verdict.CompareAndSwap(nil, v)
}

// explain says how a good number comes from its digits: some are left out in front, and plus and country code put there.
func (p *phoneDigits) explain(v *phoneVerdict, e164 string) bool {
	var b [15]byte
	for i, d := range p.digits[:p.n] {
		b[i] = '0' + d
	}
	if p.plus { // the country code stays, what is dialled before the rest within the country goes
		code := callingCode(p.digits[:p.n])
		rest, ok := strings.CutPrefix(e164, "+"+code)
		v.code, v.strip = "+"+code, p.n-len(rest)
		return ok && code != "" && v.strip >= len(code) && string(b[v.strip:p.n]) == rest
	}
	for n := min(p.n, len(e164)-2); n > 0; n-- {
		if code := e164[:len(e164)-n]; strings.HasSuffix(e164, string(b[p.n-n:p.n])) && len(code) <= 4 {
			v.code, v.strip = code, p.n-n
			return true
		}
	}
	return false
}
