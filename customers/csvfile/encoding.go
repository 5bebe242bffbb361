package csvfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encoding names how a file's text is written.
type Encoding string

// The encodings.
const (
	UTF8    Encoding = "utf-8"
	UTF16LE Encoding = "utf-16le"
	UTF16BE Encoding = "utf-16be"
	CP1252  Encoding = "windows-1252"
)

var marks = []struct {
	bytes    []byte
	encoding Encoding
}{{[]byte{0xEF, 0xBB, 0xBF}, UTF8}, {[]byte{0xFF, 0xFE}, UTF16LE}, {[]byte{0xFE, 0xFF}, UTF16BE}}

// Detect reads r to its end and tells the encoding and the length of the byte order mark. Without a mark it is UTF-8,
// unless more characters outside ASCII are broken than whole: then it is CP-1252.
func Detect(r io.Reader) (Encoding, int, error) {
	buf := make([]byte, 256<<10)
	kept, broken, whole := 0, 0, 0
	first := true
	for {
		n, err := io.ReadFull(r, buf[kept:])
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return "", 0, err
		}
		data := buf[:kept+n]
		if first {
			first = false
			for _, m := range marks {
				if bytes.HasPrefix(data, m.bytes) {
					return m.encoding, len(m.bytes), nil
				}
			}
		}
		kept = 0
		for len(data) > 0 {
			if data = data[asciiPrefix(data):]; len(data) == 0 {
				break
			}
			if !end && !utf8.FullRune(data) {
				kept = copy(buf, data)
				break
			}
			r, size := utf8.DecodeRune(data)
			if r == utf8.RuneError && size == 1 {
				broken++
			} else {
				whole++
			}
			data = data[size:]
		}
		if end {
			break
		}
	}
	if broken > whole {
		return CP1252, 0, nil
	}
	return UTF8, 0, nil
}

// decode gives the text as UTF-8; bytes that are broken in UTF-8 stay, and the row that holds them is at fault.
func decode(r io.Reader, e Encoding) io.Reader {
	var d encoding.Encoding
	switch e {
	case UTF16LE:
		d = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case UTF16BE:
		d = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case CP1252:
		d = charmap.Windows1252
	default:
		return r
	}
	return d.NewDecoder().Reader(r)
}

// asciiPrefix gives how many bytes of ASCII data begins with, eight at a time: a file is read through once for this.
func asciiPrefix(data []byte) int {
	i := 0
	for ; i+8 <= len(data); i += 8 {
		if binary.LittleEndian.Uint64(data[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(data) && data[i] < utf8.RuneSelf {
		i++
	}
	return i
}
