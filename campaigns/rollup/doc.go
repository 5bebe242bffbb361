// Package rollup keeps the figures of campaigns, so that to read them takes the same time however much there is to count.
//
// Every figure of a report is a sum over customers, or over entries of the ledger. Customers are therefore counted in slices of 1,024
// numbers and the ledger in slices of an hour. Whoever changes what is counted marks its slice in the same transaction (package
// internal/tally). A job folds: it counts marked slices anew from the rows themselves, in one view of the database, and adds the
// difference to the totals. Read adds up the totals and, where few slices are marked, what those have by now; where many are, the
// figures are as of the oldest mark.
//
// A slice is counted by the same statement that counts a whole campaign, and marks are removed only by the transaction that saw
// them and counted what they stand for: the totals cannot drift, and Check proves it by counting all.
//
// A campaign is sealed when its opens and clicks are deleted for their age (tracking.ForgetHits): from then on its figures stay as they are.
package rollup
