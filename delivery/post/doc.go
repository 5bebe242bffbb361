// Package post writes print runs: letters as PDF files, the same addresses as a merge file for a printer who sets the
// letters elsewhere, and a manifest that says what is in the folder.
//
//	m, err := post.Write(dir, run, letters)
//
// Everything is written into dir + ".tmp" and gets its final name as the last step, so a folder with its final name is
// complete. Letters come from an iterator and go to the files one by one; only one PDF file (5,000 letters at most)
// is in memory at a time. Characters that the font lacks or that would need shaping (Arabic, Hebrew, Indic, Thai) are printed as a
// hollow square, and the manifest names the letters concerned.
//
// The address stands in the window of DIN 5008 form B on A4 and of a number 10 envelope on US Letter.
package post
