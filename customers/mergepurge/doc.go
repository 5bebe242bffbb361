// Package mergepurge joins lists into one mailing: the house file, rented lists and suppression files go in, each name
// comes out once. A run changes nothing until it is applied.
//
//	run, err := s.Create(ctx, mergepurge.NewRun{Name: "spring 2027"})
//	_, err = s.AddInput(ctx, run.ID, mergepurge.NewInput{Kind: mergepurge.House})
//	_, err = s.AddInput(ctx, run.ID, mergepurge.NewInput{Kind: mergepurge.Rented, Name: "GARDEN", FileName: "garden.csv", Body: file})
//	run, err = s.Start(ctx, run.ID)    // a job; s.Run(ctx, run.ID) tells how far it is
//	run, err = s.Apply(ctx, run.ID)    // the net names become the members of a list with the run's name
//
// A run goes through phases, each committed in chunks, so that one that was killed goes on where it stood:
//
//   - loading (load, load_file, load_house): every row of every input becomes a record, numbered over all inputs; a row
//     that cannot be used is a record too, rejected with its reason.
//   - matching (matching): the records are matched as persons by package match, on disk.
//   - allocating (suppress, groups, allocate, decide): who is suppressed, who is a duplicate of whom, who stays.
//   - reporting (report): figures for each list, the overlap matrix, charges; they reconcile or the run fails.
//   - applying (apply): the merged list, once a person has said so.
//
// The rules of allocation are pure and stand in allocate.go; docs/merge-purge.md tells them to users.
package mergepurge
