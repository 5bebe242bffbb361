// Package reports reads what campaigns cost and what came back, and changes nothing.
//
//	report, err := service.Campaign(ctx, id)            // one campaign: figures, breakdowns, result against control
//	rows, next, err := service.Campaigns(ctx, filter)   // finance: one row a campaign, totals per currency
//	entries, next, err := service.Ledger(ctx, id, page) // the rows behind a cost
//	problems, err := service.Reconcile(ctx, id)         // do plan, touches, ledger and report agree?
//
// What the figures mean:
//
//   - quantity: touches that went out (sent, and those that bounced afterwards);
//   - cost: the sum of the cost ledger; revenue: orders credited by attribution, in the campaign's currency by the
//     rates stored with the orders; margin: revenue times the campaign's margin rate;
//   - response: a touch that a person answered by clicking, replying, calling, visiting, redeeming, answering or
//     ordering, or an answer of a person not known. Opens, bounces, complaints and unsubscribing are counted by kind
//     only, and what machines did (mail proxies, link scanners) is not counted at all;
//   - an order is counted once however its credit is shared; a return lowers the revenue and is no order;
//   - result against control: all orders in the campaign's window of all customers assigned to a cell, sent to or
//     not, against those of the control cell. The window runs from the launch to the last touch plus the longest
//     matchback window of the channels used.
//
// A figure that would divide by zero is nil: "not available". All figures of one report are read in one snapshot.
package reports
