package segments

import "github.com/expr-lang/expr/ast"

// What happened: answers, contacts and purchases, in which order, and what never did.

func (c *checker) answered(f call) node {
	kinds := map[string][]string{"clicked": {"click"}, "opened": {"open"}, "responded": humanKinds}[f.name]
	return c.happened(f, responsesOf, kinds)
}

func (c *checker) contacted(f call) node { return c.happened(f, touchesOf, nil) }

func (c *checker) happened(f call, of *collection, kinds []string) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	campaign, ok := c.campaign(f)
	since, okSince := c.since(f)
	if !ok || !okSince || !c.look(f.at) {
		return nil
	}
	return &quantifier{name: "any", over: &over{of: of, until: c.until, cond: &isEvent{of: of, kinds: kinds, campaign: campaign, since: since}}}
}

// contacts is how often something was sent.
func (c *checker) contacts(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	channel, ok := "", true
	if len(f.args) > 0 {
		channel, ok = c.quoted(f, 0, "a channel")
		if known := channel == "" || contains(channels, channel); ok && !known {
			c.fail(f.args[0], "%q is no channel: write email, sms, post, calls, or \"\" for any%s", shorten(channel), didYouMean(channel, channels))
			ok = false
		}
	}
	since, okSince := c.since(f)
	if !ok || !okSince || !c.look(f.at) {
		return nil
	}
	return &aggregate{fn: "count", over: &over{of: touchesOf, until: c.until, cond: &isEvent{of: touchesOf, channel: channel, since: since}}}
}

var channels = []string{"email", "sms", "post", "calls"}

func (c *checker) bought(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	sku, ok := "", true
	if len(f.args) > 0 {
		sku, ok = c.quoted(f, 0, "a product")
	}
	since, okSince := c.since(f)
	if !ok || !okSince || !c.look(f.at) {
		return nil
	}
	of := ordersOf
	if sku != "" {
		of = linesOf
	}
	return &quantifier{name: "any", over: &over{of: of, until: c.until, cond: &isPurchase{of: of, sku: sku, since: since}}}
}

// campaign reads the optional campaign code in argument 0: its id, 0 for any.
func (c *checker) campaign(f call) (int64, bool) {
	if len(f.args) == 0 {
		return 0, true
	}
	code, ok := c.quoted(f, 0, "a campaign's code")
	if !ok || code == "" {
		return 0, ok
	}
	id, ok := c.catalog.campaigns[code]
	if !ok {
		c.fail(f.args[0], "there is no campaign with the code %q%s", shorten(code), didYouMean(code, c.catalog.Campaigns))
	}
	return id, ok
}

// never is what has not happened.
func (c *checker) never(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	of, ok := c.eventAt(f, 0)
	if !ok {
		return nil
	}
	return &inverse{of: of}
}

// followed takes what happened and between them, optionally, the time that may pass: followed(a, b, "7d", c, "1d").
func (c *checker) followed(f call) node {
	if !c.arity(f, 2, 9) {
		return nil
	}
	result := &sequence{}
	bad := false
	for i := range f.args {
		if text, isText := f.args[i].(*ast.StringNode); isText && len(result.events) > 1 && len(result.within) == len(result.events)-1 && !result.within[len(result.within)-1].known {
			if text.Value == "" {
				continue
			}
			length, ok := c.length(text, text.Value)
			bad = bad || !ok
			result.within[len(result.within)-1] = length
			continue
		}
		of, ok := c.eventAt(f, i)
		bad = bad || !ok
		result.events = append(result.events, of)
		if len(result.events) > 1 {
			result.within = append(result.within, value{})
		}
	}
	if bad {
		return nil
	}
	if len(result.events) < 2 {
		return c.fail(f.at, "followed needs two things that happened at least: write %s", functionNamed(f.name).example)
	}
	return result
}

// eventAt checks an argument that must be something that happened.
func (c *checker) eventAt(f call, i int) (event, bool) {
	n := c.node(f.args[i])
	if n == nil {
		return nil, false
	}
	if q, ok := n.(*quantifier); ok && q.name == "any" && q.over.of.at.sql != "" {
		return q, true
	}
	c.fail(f.args[i], "%s needs something that happened here: clicked, opened, responded, contacted, received, bought, did or any(orders, ...)", f.name)
	return nil, false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
