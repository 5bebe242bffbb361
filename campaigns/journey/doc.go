// Package journey is the graph of steps that customers of a campaign walk, and the engine that walks them.
//
// A Definition is the JSON a marketer writes; it is frozen into Steps when the campaign is approved. The Engine enters
// customers in slices of ten thousand and moves each slice by set SQL: one statement per step and slice, however many
// customers stand there. Send steps are handed to a Planner (package delivery) in the same transaction, so a customer is
// never moved on without the touch, nor planned twice.
//
// Time is the engine's clock: waits hold a due time, and a job that comes too early just puts itself off again.
package journey
