// Package insights answers questions about whole audiences: who is in a segment and why, how segments overlap, and how the
// house file falls into cells by recency, frequency and monetary value.
//
//	profile, err := service.Profile(ctx, expression)         // country, age, value, who can be contacted
//	members, err := service.Sample(ctx, expression, 10)      // some of them, each with the conditions that hold
//	shares, err := service.Overlap(ctx, expressions)         // how many are in which of up to four
//	grid, err := service.RFM(ctx, insights.Scheme{})         // 125 cells, their sizes and values
//	segment, err := service.SaveCell(ctx, scheme, cell, name)
//
// It only reads, except that SaveCell saves a segment, and that a job keeps the limits by which segments read rfm. Everything is set SQL over the expressions that package segments
// compiles; a statement is given up after thirty seconds with a plain message, and ends when whoever asked goes away.
package insights
