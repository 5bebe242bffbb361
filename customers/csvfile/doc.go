// Package csvfile reads CSV files as people send them: a stream of any size, in UTF-8 (with or without a byte order
// mark), UTF-16 or Windows CP-1252, parted by commas, semicolons, tabs or bars, lines ended by LF, CRLF or CR.
//
// What it promises for bad input:
//
//   - A fault concerns one row: Next gives a *RowError with the line number and the text, and the reader carries on.
//   - A quoted field may go over at most MaxLines lines. Where a quote is not closed within that, or text follows the
//     closing quote, only the line in which the record begins is at fault, and reading goes on at the very next line:
//     one stray quote costs one row, not the rest of the file.
//   - A record longer than MaxRecord is at fault and is passed over without being held in memory.
//   - A row with more or fewer fields than the header is at fault, except that more may follow if they are empty.
//   - Zero bytes are at fault.
//
// Blank lines and rows without any value are passed over. A quote within an unquoted field stands for itself. Spaces
// around fields are not part of them.
package csvfile
