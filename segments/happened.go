package segments

import (
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
)

// humanKinds are the responses by which a person shows interest: not opens, which machines make, and not what ends
// a relation (complaint, unsubscribe) or was not delivered (bounce).
var humanKinds = []string{"click", "reply", "call", "visit", "coupon", "order", "survey"}

// ever is before all times: a window without a beginning, or a touch sent at a time that is not known.
const ever = int64(-1 << 63)

// isEvent is the condition of clicked, opened, responded and contacted on a response or a touch.
type isEvent struct {
	of       *collection
	kinds    []string // of a response, in this package's own words
	channel  string   // of a touch
	campaign int64    // 0 is any
	since    int64
}

func (n *isEvent) kind() kind     { return boolean }
func (n *isEvent) nullable() bool { return true }

func (n *isEvent) sql(w *writer) {
	w.text("(TRUE")
	if n.kinds != nil {
		w.text(" AND " + w.item + ".kind IN ('" + strings.Join(n.kinds, "', '") + "')")
	}
	if n.channel != "" {
		w.text(" AND " + w.item + ".channel = " + w.arg(n.channel, "text"))
	}
	if n.campaign != 0 {
		w.text(" AND " + w.item + ".campaign_id = " + w.arg(n.campaign, "bigint"))
	}
	n.of.since(w, n.since)
	w.text(")")
}

// since writes the beginning of a window.
func (of *collection) since(w *writer, since int64) {
	if since != ever {
		w.text(" AND ")
		of.at.write(w, w.item)
		w.text(" >= " + w.arg(time.UnixMicro(since).UTC(), "timestamptz"))
	}
}

func (n *isEvent) eval(e *env) value {
	return known((n.kinds == nil || slices.Contains(n.kinds, e.item.kind)) && (n.channel == "" || e.item.kind == n.channel) &&
		(n.campaign == 0 || e.item.campaign == n.campaign) && e.item.at >= n.since)
}

// isPurchase is the condition of bought on an order, or with a product on a line; returns do not count.
type isPurchase struct {
	of    *collection
	sku   string
	since int64
}

func (n *isPurchase) kind() kind     { return boolean }
func (n *isPurchase) nullable() bool { return true }

func (n *isPurchase) sql(w *writer) {
	w.text("(" + w.item + ".quantity > 0 AND ")
	if n.of == linesOf {
		w.text(w.item + ".amount >= 0 AND " + w.item + ".sku = " + w.arg(n.sku, "text"))
	} else {
		w.text(w.item + ".base_amount >= 0")
	}
	n.of.since(w, n.since)
	w.text(")")
}

func (n *isPurchase) eval(e *env) value {
	return known(e.item.values["quantity"].n.Sign() > 0 && e.item.values["amount"].n.Sign() >= 0 &&
		(n.of != linesOf || e.item.values["product"].s == n.sku) && e.item.at >= n.since)
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

// bucket holds for customers whose hash under a seed, 0 to 99, is at least from and below to.
type bucket struct {
	seed     string
	from, to int64
}

func (n *bucket) kind() kind     { return boolean }
func (n *bucket) nullable() bool { return false }

func (n *bucket) sql(w *writer) {
	// Moved round so that from is 0: one comparison, and the hash is computed once.
	hash := "('x' || left(md5(" + w.arg(n.seed+":", "text") + " || " + w.alias + ".customer_id), 8))::bit(32)::bigint"
	if n.from != 0 {
		hash += " + " + w.arg(100-n.from, "bigint")
	}
	w.text("(mod(" + hash + ", 100) < " + w.arg(n.to-n.from, "bigint") + ")")
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
