// Package builder shows an expression of package segments as rows that can be clicked together, and writes rows as an
// expression: two views of one thing.
//
//	root, why := builder.Rows(`country in ["DE"] and orders_count >= 3`)  // why says what rows cannot show, "" where all is shown
//	text, err := builder.Text(root)
//
// Both are pure functions over the syntax tree; names and types are checked by package segments, which has the last word on the
// text. Whatever Rows can show comes back from Text with the same meaning, and whatever Text writes Rows shows again as
// Normal gives it. What rows cannot show (arithmetic, ?:, ??, notes, predicates within predicates) stays text.
package builder
