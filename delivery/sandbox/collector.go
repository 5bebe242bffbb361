package sandbox

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type item struct {
	channel, sender, recipient, subject string
	body                                []byte
	ref                                 string
	at                                  time.Time
}

type batch struct {
	items []item
	done  chan error
}

// collector commits what arrives together in one transaction: while one commit is under way the next set gathers.
type collector struct {
	pool *pgxpool.Pool
	in   chan batch
	done chan struct{}
}

const together = 500 // messages in one commit

var errStopped = errors.New("the sandbox is stopping")

func newCollector(pool *pgxpool.Pool) *collector {
	return &collector{pool: pool, in: make(chan batch, together), done: make(chan struct{})}
}

// store returns when the items are committed.
func (c *collector) store(items []item) error {
	b := batch{items: items, done: make(chan error, 1)}
	select {
	case c.in <- b:
	case <-c.done:
		return errStopped
	}
	select {
	case err := <-b.done:
		return err
	case <-c.done:
		select {
		case err := <-b.done:
			return err
		default:
			return errStopped
		}
	}
}

func (c *collector) run(ctx context.Context) {
	defer close(c.done)
	for {
		var waiting []batch
		select {
		case b := <-c.in:
			waiting = append(waiting, b)
		case <-ctx.Done():
			return
		}
		items := waiting[0].items
	gather:
		for len(items) < together {
			select {
			case b := <-c.in:
				waiting = append(waiting, b)
				items = append(items[:len(items):len(items)], b.items...)
			default:
				break gather
			}
		}
		err := c.insert(context.WithoutCancel(ctx), items)
		for _, b := range waiting {
			b.done <- err
		}
	}
}

func (c *collector) insert(ctx context.Context, items []item) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	n := len(items)
	channels, senders, recipients, subjects := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	bodies, refs, ats := make([][]byte, n), make([]string, n), make([]time.Time, n)
	for i, it := range items {
		channels[i], senders[i], recipients[i], subjects[i] = it.channel, it.sender, it.recipient, it.subject
		bodies[i], refs[i], ats[i] = it.body, it.ref, it.at
	}
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		// A touch counts as sent by a later, durable commit, which takes this one to the disk with it.
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO sandbox_messages (channel, sender, recipient, subject, body, ref, received_at)
			SELECT channel, sender, recipient, subject, body, ref, received_at
			FROM unnest(@channels::text[], @senders::text[], @recipients::text[], @subjects::text[], @bodies::bytea[], @refs::text[], @ats::timestamptz[])
				AS m (channel, sender, recipient, subject, body, ref, received_at)
			ON CONFLICT (channel, ref) WHERE ref <> '' DO NOTHING`, pgx.NamedArgs{
			"channels": channels, "senders": senders, "recipients": recipients, "subjects": subjects,
			"bodies": bodies, "refs": refs, "ats": ats,
		})
		return err
	})
}
