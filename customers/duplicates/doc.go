// Package duplicates finds customers who may be one person, lets people decide, and merges two customers into one such
// that it can be taken back.
//
//	search, err := duplicates.StartSearch(ctx, 0)         // a job on the queue of imports
//	pairs, err := duplicates.Open(ctx, Cursor{}, 50)      // the best first, each with its reason
//	err = duplicates.Decide(ctx, a, b, true)              // two people
//	merged, err := duplicates.Merge(ctx, a, b, nil)       // one person: b becomes an alias of a
//	undone, err := duplicates.Undo(ctx, merged.ID)
//
// A search goes through the house file (rented names are no part of it), weighs pairs with package match, and keeps those
// from the review score up in the table duplicates. What a person has decided stays decided. Customers whose
// link reaches the threshold get one person_id, so that a campaign writes to them once, and stay two records.
//
// Merging is for people to do: nothing merges by itself, and MergeSure, which merges many at once, leaves out pairs
// with two different external ids. The survivor takes the better value of each field, the history moves over, and
// the old number stays an alias that everything which looks up a customer follows. Rows of a campaign in which both took
// part stay under the old number, so that no report counts other contacts or sums; docs/duplicates.md says all of it.
//
// What it promises: a merge is one transaction; undoing it puts every row back as it was, but for values that were edited since;
// customer_aliases never points to an alias.
package duplicates
