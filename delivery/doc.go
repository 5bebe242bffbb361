// Package delivery plans touches and sends them.
//
// Planning (Service.PlanTx, called by the journey engine for one step and one slice of customers) is a family of set
// statements: every candidate becomes one touch, planned or excluded with its reason, in this order: control,
// deleted, no_address, suppressed, no_consent, licence (of a rented name), what a do-not-call register says, frequency_cap (as
// many messages of the channel lately as the settings allow, all campaigns together), then duplicate,
// household, address or company (reason_ref names the customer who has it), then budget. What the planned ones will cost is
// reserved in the same transaction, and so are the jobs that send them.
//
// Of a household, address or company the best customer who can be contacted gets the piece: who spent most, then who bought
// last, then the lowest number. A group is decided as a whole, in the transaction of the first slice that has one of it, with
// its members who stand at the step in other slices; the journey engine holds such a step until all of the audience have come
// (package journey, groups.go). Who is in the control cell, walks another branch or is not due takes no part. Persons, e-mails and phones do not wait:
// the best of the first slice gets the piece. Where the budget ends, the best is excluded for it, and nobody steps in.
//
// Sending is at most once. A touch goes
//
//	planned -> sending -> sent | failed | unconfirmed (-> bounced, when a bounce comes back)
//	planned -> excluded (suppressed, without consent or deleted by now, contacted often enough meanwhile, after the
//	    campaign's end, or the campaign was cancelled)
//
// A job claims its customers in one statement (planned -> sending) and commits, hands their messages over by several
// connections, notes each in a journal of its own (handover.go) just before and just after, and settles what is answered
// every two seconds and at the end, together with the cost and the freed reservation. Where the process dies in between, the
// job's next run reads the journal: what was answered is settled, what was not begun is planned again, and what was just
// being answered, one message for each connection, becomes unconfirmed; a person may send it again, with ResolveUnconfirmed.
// Without a journal (another machine's, or one from before a crash of the machine) all that was claimed is unconfirmed. A job
// given to another process while the first one was only slow waits until that lets go of the journal.
//
// A message that was certainly not taken (no connection, a 4xx answer, a gateway's 5xx) goes back to planned and the job is
// tried again; after the setting retry_days what is put off for its own sake has failed. A relay that cannot be reached is
// left alone for up to a minute, and nothing fails for it. A refusal fails the touch; one for an address that does not exist
// also suppresses it. Refusals in a row for content or sender, or too many failures, pause the campaign (health.go).
//
// A job asks first which of its touches may go now (hours.go): the hours of the step, by our clock or the customer's, and the campaign's
// end. The others stay planned, and the job is put off until the first of them may go; it holds no worker meanwhile. The volume of a new
// sender is taken in the transaction of the claim (package pace). Jobs of campaigns of one priority take turns (enqueue.go).
//
// Letters need no unconfirmed: nothing has left the house until the run's folder is complete and has its final name.
// A call's touch is sending while it is on the call list, sent once a person was reached, and failed when the tries are used up.
//
// The media are in the packages below: email, sms, post, calls; sandbox stands in for the outside world.
package delivery
