// Package tally is how changes get into the figures that package campaigns/rollup keeps: whoever changes a touch, a response, an
// enrollment, a credited order or the ledger says so with one of the Mark functions, in the same transaction. A mark is one narrow row to
// a transaction, whatever it changed, and never the campaign's own.
package tally
