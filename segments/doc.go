// Package segments is the language in which marketers choose customers.
//
// An expression such as
//
//	country in ["DE", "AT"] and orders_count >= 3 and last_order_at < ago("90d")
//
// is parsed by expr's parser, checked against the Catalog (the attributes, segments, lists and campaigns that exist) and
// turned into a typed tree. The tree has two evaluators that mean the same:
//
//	compiled, err := service.Compile(ctx, expression, now)
//	where, args := compiled.Where("c", "p")   // SQL over customers as c, for sets
//	ok, err := compiled.Match(facts)          // one customer in memory, facts from LoadFacts
//
// Three promises. No text of an expression ever reaches SQL: the tree writes its own SQL with placeholders only. What
// is not known is never an error: a comparison with an unknown value is false, and not turns that into true. And
// whatever is wrong with an expression is a fault.Invalid whose fields give line, column and where possible a
// suggestion, several at once.
//
// Each kind of node keeps its check, its SQL and its evaluation side by side in one file, so that a change to one
// meaning is seen beside the other. Fields and functions stand in two tables (fields.go, functions.go), from which the
// checker, the editor's completion and docs/segments.md are made.
package segments
