// Package match finds the records that are one person, in one file or between two, without labels and without a
// database. docs/matching.md says the same at length, with figures.
//
//	table := match.NewTable()
//	err := table.AddFile(header, nil)            // columns are recognised by their headers
//	err = table.AddRow(cells)                    // each row is standardised as it comes
//	result, err := match.Run(ctx, table, match.Options{})
//	err = result.Pairs(func(p match.Pair) error { ... })
//	why := result.Explain(rowA, rowB)
//
// The steps, each in files of its own:
//
//   - Standardise (header, fold, names, nicknames, address, contact, date): values get the form in which they are
//     compared. A column that says who is who (cluster, ent_id, label) is never used.
//
//   - Hold (store, table): each distinct value is kept once and a record is a row of numbers. Rows alike in every
//     field share one node, so a million identical rows cost no more than one.
//
//   - Block (block): some sixteen passes propose candidates; what they may propose in all is bounded, and grows with
//     the number of rows.
//
//   - Compare (similarity, compare, signature): each field agrees at one of nine levels.
//
//   - Learn and weigh (model, learn): expectation-maximisation over three classes of pairs, namely one person, two people of one
//     household, strangers. Values that few records have weigh more; what is not known weighs nothing.
//
//   - Cluster (cluster, pairs): the strongest links first, and only where the clusters as wholes do not disagree.
//
//   - Spool (spool*, rowfile, column, linkfile, matched): the same for more rows than fit into memory, in any number of
//     lists; what is not needed at the moment stands on disk.
//
// What it promises: the same rows in the same order give the same pairs; nothing here takes time that grows with the
// square of the rows, whatever they hold.
package match
