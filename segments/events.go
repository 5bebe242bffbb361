package segments

import (
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answered holds where a person (never a machine) responded in one of the kinds; campaign 0 is any, since 0 is ever.
type answered struct {
	kinds    []string // this package's own words
	campaign int64
	since    int64
}

// humanKinds are the responses by which a person shows interest: not opens, which machines make, and not what ends
// a relation (complaint, unsubscribe) or was not delivered (bounce).
var humanKinds = []string{"click", "reply", "call", "visit", "coupon", "order", "survey"}

func (n *answered) kind() kind     { return boolean }
func (n *answered) nullable() bool { return false }

func (n *answered) sql(w *writer) {
	r := w.newAlias("r")
	w.text("EXISTS (SELECT 1 FROM responses " + r + " WHERE " + r + ".customer_id = " + w.alias + ".customer_id AND ")
	w.within(r)
	w.text("NOT " + r + ".machine AND " + r + ".kind IN ('" + strings.Join(n.kinds, "', '") + "')")
	campaignAndTime(w, r, "at", n.campaign, n.since)
	w.text(")")
}

func campaignAndTime(w *writer, alias, at string, campaign, since int64) {
	if campaign != 0 {
		w.text(" AND " + alias + ".campaign_id = " + w.arg(campaign, "bigint"))
	}
	if since != ever {
		w.text(" AND " + alias + "." + at + " >= " + w.arg(time.UnixMicro(since).UTC(), "timestamptz"))
	}
}

const ever = int64(-1 << 63)

func (n *answered) eval(e *env) value {
	return known(slices.ContainsFunc(e.facts.responses, func(r response) bool {
		return slices.Contains(n.kinds, r.kind) && (n.campaign == 0 || r.campaign == n.campaign) && r.at >= n.since
	}))
}

// contacted holds where a touch was sent.
type contacted struct{ campaign, since int64 }

func (n *contacted) kind() kind     { return boolean }
func (n *contacted) nullable() bool { return false }

func (n *contacted) sql(w *writer) {
	t := w.newAlias("t")
	w.text("EXISTS (SELECT 1 FROM touches " + t + " WHERE " + t + ".customer_id = " + w.alias + ".customer_id AND ")
	w.within(t)
	w.text(t + ".state = 'sent'")
	campaignAndTime(w, t, "sent_at", n.campaign, n.since)
	w.text(")")
}

func (n *contacted) eval(e *env) value {
	return known(slices.ContainsFunc(e.facts.touches, func(t touch) bool {
		return (n.campaign == 0 || t.campaign == n.campaign) && t.at >= n.since
	}))
}

// bought holds where an order (of the product, unless "") was placed; returns do not count.
type bought struct {
	sku   string
	since int64
}

func (n *bought) kind() kind     { return boolean }
func (n *bought) nullable() bool { return false }

func (n *bought) sql(w *writer) {
	o, l := w.newAlias("o"), w.newAlias("l")
	if n.sku == "" {
		w.text("EXISTS (SELECT 1 FROM orders " + o + " WHERE " + o + ".customer_id = " + w.alias + ".customer_id AND ")
		w.within(o)
		w.text(o + ".quantity > 0 AND " + o + ".base_amount >= 0")
	} else {
		w.text("EXISTS (SELECT 1 FROM order_lines " + l)
		if n.since != ever {
			w.text(" JOIN orders " + o + " ON " + o + ".customer_id = " + l + ".customer_id AND " + o + ".order_ref = " + l + ".order_ref")
		}
		w.text(" WHERE " + l + ".customer_id = " + w.alias + ".customer_id AND ")
		w.within(l)
		w.text(l + ".quantity > 0 AND " + l + ".amount >= 0 AND " + l + ".sku = " + w.arg(n.sku, "text"))
	}
	if n.since != ever {
		campaignAndTime(w, o, "ordered_at", 0, n.since)
	}
	w.text(")")
}

func (n *bought) eval(e *env) value {
	return known(slices.ContainsFunc(e.facts.orders, func(o order) bool {
		if o.at.i < n.since {
			return false
		}
		if n.sku == "" {
			return o.quantity.n.Sign() > 0 && o.amount.n.Sign() >= 0
		}
		return slices.Contains(o.bought, n.sku)
	}))
}

// onList holds for the members of a list.
type onList struct{ list int64 }

func (n *onList) kind() kind     { return boolean }
func (n *onList) nullable() bool { return false }

func (n *onList) sql(w *writer) {
	m := w.newAlias("m")
	w.text("EXISTS (SELECT 1 FROM list_members " + m + " WHERE " + m + ".customer_id = " + w.alias + ".customer_id AND ")
	w.within(m)
	w.text(m + ".list_id = " + w.arg(n.list, "bigint") + ")")
}

func (n *onList) eval(e *env) value { return known(slices.Contains(e.facts.lists, n.list)) }

// birthday holds where the day and month of a date are among days, written month*100+day.
type birthday struct {
	field *field
	days  []int32
}

// birthdays gives the days from today on, in UTC; 29 February is kept on the 28th in common years.
func birthdays(now, window int64) []int32 {
	var days []int32
	today := time.UnixMicro(now).UTC()
	for i := range int(min(window/day, 366)) + 1 {
		d := today.AddDate(0, 0, i)
		days = append(days, int32(int(d.Month())*100+d.Day()))
		if d.Month() == time.February && d.Day() == 28 && d.AddDate(0, 0, 1).Month() == time.March {
			days = append(days, 229)
		}
	}
	return days
}

func (n *birthday) kind() kind     { return boolean }
func (n *birthday) nullable() bool { return true }

func (n *birthday) sql(w *writer) {
	col := n.field.expression(w.alias, false)
	w.text("((extract(month FROM " + col + ") * 100 + extract(day FROM " + col + "))::integer = ANY(" + w.arg(n.days, "integer[]") + "))")
}

func (n *birthday) eval(e *env) value {
	v := e.facts.fields[n.field.name]
	if !v.known {
		return known(false)
	}
	d := time.UnixMicro(v.i).UTC()
	return known(slices.Contains(n.days, int32(int(d.Month())*100+d.Day())))
}

// bucket holds for customers whose hash under a seed, 0 to 99, is at least from and below to.
type bucket struct {
	seed     string
	from, to int64
}

func (n *bucket) kind() kind     { return boolean }
func (n *bucket) nullable() bool { return false }

func (n *bucket) sql(w *writer) {
	w.text("(mod(('x' || left(md5(" + w.arg(n.seed+":", "text") + " || " + w.alias + ".customer_id), 8))::bit(32)::bigint, 100)" +
		" BETWEEN " + w.arg(n.from, "bigint") + " AND " + w.arg(n.to-1, "bigint") + ")")
}

func (n *bucket) eval(e *env) value {
	sum := md5.Sum([]byte(n.seed + ":" + strconv.FormatInt(e.facts.CustomerID, 10)))
	b := int64(binary.BigEndian.Uint32(sum[:4]) % 100)
	return known(b >= n.from && b < n.to)
}

// nth holds for customers whose id is a multiple.
type nth struct{ of int64 }

func (n *nth) kind() kind     { return boolean }
func (n *nth) nullable() bool { return false }
func (n *nth) sql(w *writer) {
	w.text("(mod(" + w.alias + ".customer_id, " + w.arg(n.of, "bigint") + ") = 0)")
}
func (n *nth) eval(e *env) value { return known(e.facts.CustomerID%n.of == 0) }
