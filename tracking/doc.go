// Package tracking takes in everything that comes back from customers and credits it to what was sent.
//
// It owns four things:
//
//   - Codes and links. [NewKeycode] makes the printable codes that stand on reply cards and in phone scripts;
//     [CheckKeycode] catches a mistyped one. A [Signer] makes the short tokens in tracked links; [URLs] puts them
//     behind /t/c/ (click), /t/o/ (open) and /t/u/ (unsubscribe), and [Addresses] into mail addresses: return paths,
//     and a mailto that unsubscribes.
//   - Hits. [Service.Handler] serves those addresses. Concurrent hits are gathered into one commit, and each is
//     answered after it: what was acknowledged is stored, in a journal, and [Service.Land] puts it among the responses. A full queue answers 503; a click is redirected all the same.
//   - Responses. [Service.Record] takes them from other programs, each idempotent by the caller's own id;
//     [Service.InboundSMS] takes text messages, STOP included. What belongs to no campaign is kept for a person:
//     [Service.Unmatched] and [Service.Resolve].
//   - Attribution. [Service.AttributeOrders] credits orders: by keycode, else by a click, else by matchback to the
//     latest touch within the window of its medium. An order has exactly one credit, and computing it again changes
//     nothing.
//
// Whatever is recorded for a campaign enqueues [RecordedArgs] in the same transaction, so that a journey waiting for
// a response wakes up; the worker for it lives with the journeys.
//
// Programs fetch links too. Their hits are stored with machine = true (see [Machine]), never wake a journey and are
// not counted as a person's.
package tracking
