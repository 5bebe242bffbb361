package customers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/fault"
	"aldine/internal/id"
)

// RecordEvents stores events, see RecordEventsTx. Where it and a merge stood in each other's way it does it once more.
func (s *Service) RecordEvents(ctx context.Context, source string, events []Event) ([]EventOutcome, error) {
	for try := 1; ; try++ {
		var out []EventOutcome
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			out, err = s.RecordEventsTx(ctx, tx, source, events)
			return err
		})
		if pe := (*pgconn.PgError)(nil); try == 3 || !errors.As(err, &pe) || pe.Code != "40P01" {
			return out, err
		}
	}
}

// RecordEventsTx stores at most MaxEvents events within the caller's transaction and gives the outcome of each, in the order
// given. source names who reports; together with an event's Ref it makes the event idempotent: the same again stores nothing and
// is repeated, other content under a known ref is rejected. A wrong one is rejected with its reason and keeps none of the others
// back. Customers stay what they are: a rented name that does something elsewhere has not answered. Invalid where there are
// too many.
func (s *Service) RecordEventsTx(ctx context.Context, tx pgx.Tx, source string, events []Event) ([]EventOutcome, error) {
	if len(events) > MaxEvents {
		return nil, fault.BadField("body", "There are %d events; send at most %d at once", len(events), MaxEvents)
	}
	r := &eventRun{service: s, tx: tx, source: source, events: slices.Clone(events), out: make([]EventOutcome, len(events))}
	for _, step := range []func(context.Context) error{r.check, r.findCustomers, r.names, r.claimRefs, r.compare, r.store} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("record events: %w", err)
		}
	}
	return r.out, nil
}

// eventRun is one call of RecordEventsTx; its steps run in the order in which they are named there.
type eventRun struct {
	service *Service
	tx      pgx.Tx
	source  string
	events  []Event // cleaned
	out     []EventOutcome
	fresh   map[string]bool // names that are new
}

func (r *eventRun) reject(i int, format string, args ...any) {
	r.out[i].State, r.out[i].Reason, r.out[i].ID = EventRejected, fmt.Sprintf(format, args...), uuid.UUID{}
}

// open gives the indexes of the events of a state; "" is not decided yet.
func (r *eventRun) open(state EventState) (open []int) {
	for i := range r.out {
		if r.out[i].State == state {
			open = append(open, i)
		}
	}
	return open
}

// check looks at each event by itself.
func (r *eventRun) check(context.Context) error {
	now := r.service.now()
	for i := range r.events {
		wrong := r.events[i].clean(now)
		if r.out[i].Ref = r.events[i].Ref; wrong != "" {
			r.reject(i, "%s", wrong)
		}
	}
	return nil
}

// findCustomers turns external ids and numbers that were merged into the present numbers, and keeps those customers from being
// merged, parted or erased before the events are stored. Who waited for a merge to be done or undone looks again whose events they are.
func (r *eventRun) findCustomers(ctx context.Context) error {
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	for range 3 { // a second merge of the same customers in between is rare
		for i, id := range now {
			r.out[i].CustomerID = id
		}
		found, err := r.hold(ctx)
		if err != nil {
			return err
		}
		again, err := r.look(ctx)
		if err != nil {
			return err
		}
		if !maps.Equal(now, again) {
			now = again
			continue
		}
		for i, id := range now {
			if _, there := slices.BinarySearch(found, id); there {
				r.events[i].CustomerID = id
				continue
			}
			if r.out[i].CustomerID = 0; id == 0 {
				r.reject(i, "customer_external_id: there is no customer %q", short(r.events[i].CustomerExternalID))
			} else {
				r.reject(i, "customer_id: there is no customer %d", id)
			}
		}
		return nil
	}
	return fault.New(fault.Conflict, "Something is just happening to these customers; try again in a moment")
}

// look gives the present number of the customer of each open event, 0 for an external id that nobody has.
func (r *eventRun) look(ctx context.Context) (map[int]ID, error) {
	var names []string
	var ids []ID
	for _, i := range r.open("") {
		if e := &r.events[i]; e.CustomerID == 0 {
			names = append(names, e.CustomerExternalID)
		} else {
			ids = append(ids, e.CustomerID)
		}
	}
	byName, err := externalIDs(ctx, r.tx, names)
	if err != nil {
		return nil, err
	}
	var merged map[ID]ID
	if ids != nil {
		if merged, err = ResolveAll(ctx, r.tx, ids); err != nil {
			return nil, err
		}
	}
	now := map[int]ID{}
	for _, i := range r.open("") {
		e := &r.events[i]
		if now[i] = byName[e.CustomerExternalID]; e.CustomerID != 0 {
			if now[i] = e.CustomerID; merged[e.CustomerID] != 0 {
				now[i] = merged[e.CustomerID]
			}
		}
	}
	return now, nil
}

// hold locks the customers against a merge or erasure alone, and gives those that there are, in order.
func (r *eventRun) hold(ctx context.Context) ([]ID, error) {
	var ids []ID
	for _, i := range r.open("") {
		ids = append(ids, r.out[i].CustomerID)
	}
	slices.Sort(ids)
	rows, err := r.tx.Query(ctx, `SELECT customer_id FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id FOR KEY SHARE`,
		pgx.NamedArgs{"ids": slices.Compact(ids)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ID])
}

// names finds the names that are new, as far as there is room for them.
func (r *eventRun) names(ctx context.Context) error {
	known, err := EventNames(ctx, r.tx)
	if err != nil {
		return err
	}
	r.fresh = map[string]bool{}
	for _, i := range r.open("") {
		name := r.events[i].Name
		if _, ok := slices.BinarySearch(known, name); ok || r.fresh[name] {
			continue
		}
		if len(known)+len(r.fresh) >= maxEventNames {
			r.reject(i, "name: %q is new, and there are %d names already: give what differs each time as a property", short(name), maxEventNames)
			continue
		}
		r.fresh[name] = true
	}
	return nil
}

// claimRefs writes the senders' own ids. One that exists, or that another transaction is just writing, is not claimed: it is known
// already when this statement returns, and compare looks at it. So it is with one that stands twice in a call.
func (r *eventRun) claimRefs(ctx context.Context) error {
	var refs []string
	var ids []ID
	var keys []uuid.UUID
	at := map[string]int{}
	for _, i := range r.open("") {
		r.out[i].ID = id.New()
		ref := r.events[i].Ref
		if _, again := at[ref]; ref == "" {
			r.out[i].State = EventRecorded
		} else if !again {
			at[ref] = i
			refs, ids, keys = append(refs, ref), append(ids, r.events[i].CustomerID), append(keys, r.out[i].ID)
		}
	}
	if refs == nil {
		return nil
	}
	rows, err := r.tx.Query(ctx, `
		INSERT INTO event_refs (source, ref, customer_id, event_id)
		SELECT @source, ref, customer, id FROM unnest(@refs::text[], @customers::bigint[], @ids::uuid[]) AS t (ref, customer, id) ORDER BY ref
		ON CONFLICT DO NOTHING RETURNING ref`, pgx.NamedArgs{"source": r.source, "refs": refs, "customers": ids, "ids": keys})
	if err != nil {
		return err
	}
	var ref string
	_, err = pgx.ForEachRow(rows, []any{&ref}, func() error { r.out[at[ref]].State = EventRecorded; return nil })
	return err
}

// compare decides about refs that are known, from before or from earlier in this call.
func (r *eventRun) compare(ctx context.Context) error {
	open := r.open("")
	if open == nil {
		return nil
	}
	stored := map[string]*Event{}
	for _, i := range r.open(EventRecorded) {
		if e := r.events[i]; e.Ref != "" {
			if e.ID = r.out[i].ID; e.At.IsZero() {
				e.At = r.service.now().UTC()
			}
			stored[e.Ref] = &e
		}
	}
	var refs []string
	for _, i := range open {
		if ref := r.events[i].Ref; stored[ref] == nil {
			refs = append(refs, ref)
		}
	}
	if err := r.load(ctx, refs, stored); err != nil {
		return err
	}
	for _, i := range open {
		switch was := stored[r.events[i].Ref]; {
		case was == nil:
			r.reject(i, "ref: %q is just being reported by somebody else; try again", short(r.events[i].Ref))
		case r.events[i].same(was):
			r.out[i].State, r.out[i].ID = EventRepeated, was.ID
		default:
			r.reject(i, "ref: %q was reported before with other content", short(r.events[i].Ref))
		}
	}
	return nil
}

// load reads stored events by their refs. Two statements: the look-up table and the events may live on different nodes.
func (r *eventRun) load(ctx context.Context, refs []string, into map[string]*Event) error {
	if len(refs) == 0 {
		return nil
	}
	rows, err := r.tx.Query(ctx, `SELECT ref, customer_id, event_id FROM event_refs WHERE source = @source AND ref = ANY(@refs) ORDER BY customer_id, ref`,
		pgx.NamedArgs{"source": r.source, "refs": refs})
	if err != nil {
		return err
	}
	var customers []ID
	var ids []uuid.UUID
	byID := map[uuid.UUID]string{}
	var ref string
	var customer ID
	var key uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&ref, &customer, &key}, func() error {
		customers, ids, byID[key] = append(customers, customer), append(ids, key), ref
		return nil
	}); err != nil {
		return err
	}
	rows, err = r.tx.Query(ctx, `SELECT `+eventColumns+` FROM unnest(@customers::bigint[], @ids::uuid[]) AS t (customer, id)
		JOIN events e ON e.customer_id = t.customer AND e.event_id = t.id`, pgx.NamedArgs{"customers": customers, "ids": ids})
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, scanEvent)
	for i := range found {
		into[byID[found[i].ID]] = &found[i]
	}
	return err
}

func (r *eventRun) store(ctx context.Context) error {
	write := r.open(EventRecorded)
	if write == nil {
		return nil
	}
	now := r.service.now().UTC()
	// Rows in the order of the key cost the indexes least.
	slices.SortStableFunc(write, func(a, b int) int { return cmp.Compare(r.events[a].CustomerID, r.events[b].CustomerID) })
	var fresh []string
	for _, i := range write {
		if name := r.events[i].Name; r.fresh[name] {
			fresh = append(fresh, name)
		}
	}
	slices.Sort(fresh)
	if fresh = slices.Compact(fresh); fresh != nil {
		if _, err := r.tx.Exec(ctx, `INSERT INTO event_names (name, created_at) SELECT name, @now FROM unnest(@names::text[]) AS t (name) ORDER BY name
			ON CONFLICT DO NOTHING`, pgx.NamedArgs{"names": fresh, "now": now}); err != nil {
			return err
		}
	}
	_, err := r.tx.CopyFrom(ctx, pgx.Identifier{"events"}, []string{"customer_id", "at", "event_id", "name", "value", "properties", "recorded_at"},
		pgx.CopyFromSlice(len(write), func(n int) ([]any, error) {
			e := &r.events[write[n]]
			at := e.At
			if at.IsZero() {
				at = now
			}
			properties, err := json.Marshal(e.Properties)
			return []any{e.CustomerID, at, r.out[write[n]].ID, e.Name, e.Value, properties, now}, err
		}))
	return err
}

// eventColumns is the select list that scanEvent reads, of events as e.
const eventColumns = `e.event_id, e.customer_id, e.name, e.at, e.value, e.properties`

func scanEvent(row pgx.CollectableRow) (e Event, err error) {
	var value *decimal.Decimal
	if err = row.Scan(&e.ID, &e.CustomerID, &e.Name, &e.At, &value, &e.Properties); err == nil && value != nil {
		v := value.Trim(0)
		e.Value = &v
	}
	e.At = e.At.UTC()
	return e, err
}
