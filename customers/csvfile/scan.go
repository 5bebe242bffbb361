package csvfile

import "bytes"

// scan finds the record that data begins with: its length with the end of line, and how many lines it takes. The
// fields go to text and starts. errMore asks for more data, errQuote says that the quotes are wrong.
func (r *Reader) scan(data []byte) (size int, lines int64, err error) {
	r.text, r.starts = r.text[:0], r.starts[:0]
	i := 0
	for {
		from := len(r.text)
		// A quote after spaces still opens a quoted field.
		j := i
		for j < len(data) && (data[j] == ' ' || data[j] == '\t' && r.comma != '\t') {
			j++
		}
		if j == len(data) && !r.eof {
			return 0, 0, errMore
		}
		if j < len(data) && data[j] == '"' {
			n, more, err := r.quoted(data[j+1:])
			if err != nil {
				return 0, 0, err
			}
			if lines += more; lines >= MaxLines {
				return 0, 0, errQuote
			}
			i = j + 1 + n
			for i < len(data) && (data[i] == ' ' || data[i] == '\t' && r.comma != '\t') {
				i++
			}
			if i == len(data) && !r.eof {
				return 0, 0, errMore
			}
			if i < len(data) && data[i] != r.comma && data[i] != '\n' && data[i] != '\r' {
				return 0, 0, errQuote
			}
		} else {
			n := i
			for n < len(data) && data[n] != r.comma && data[n] != '\n' && data[n] != '\r' {
				n++
			}
			if n == len(data) && !r.eof {
				return 0, 0, errMore
			}
			r.text = append(r.text, data[i:n]...)
			i = n
		}
		r.starts = append(r.starts, from, len(r.text))
		if i == len(data) {
			return i, lines + 1, nil
		}
		if data[i] == r.comma {
			i++
			if i == len(data) && !r.eof {
				return 0, 0, errMore
			}
			continue
		}
		n, _, sure := lineEnd(data[i:])
		if !sure && !r.eof {
			return 0, 0, errMore
		}
		return i + n, lines + 1, nil
	}
}

// quoted reads a quoted field from after its opening quote; n is the length with the closing quote.
func (r *Reader) quoted(data []byte) (n int, lines int64, err error) {
	i := 0
	for {
		k := bytes.IndexAny(data[i:], "\"\r\n")
		if k < 0 {
			if r.eof {
				return 0, 0, errQuote
			}
			return 0, 0, errMore
		}
		r.text = append(r.text, data[i:i+k]...)
		i += k
		if data[i] != '"' {
			size, _, sure := lineEnd(data[i:])
			if !sure && !r.eof {
				return 0, 0, errMore
			}
			r.text = append(r.text, '\n') // whatever ends the line, as Go's own reader has it
			i += size
			if lines++; lines >= MaxLines {
				return 0, 0, errQuote
			}
			continue
		}
		if i+1 == len(data) && !r.eof {
			return 0, 0, errMore
		}
		if i+1 < len(data) && data[i+1] == '"' {
			r.text = append(r.text, '"')
			i += 2
			continue
		}
		return i + 1, lines, nil
	}
}
