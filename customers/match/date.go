package match

import (
	"strings"
)

// birthDate reads a date as people write it and gives "yyyymmdd", zeros standing for parts that are not known, or ""
// for what is no date. A day above 12 tells day from month; where both orders are possible, 3/4/1980 is 3 April
// unless the separator is a slash and monthFirst says otherwise.
func birthDate(s string, monthFirst bool) string {
	if len(s) > 40 {
		return ""
	}
	var parts [3]string
	n := 0
	months := 0
	for _, p := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !(r >= '0' && r <= '9') && !(r >= 'a' && r <= 'z') && r != 'ä'
	}) {
		if p[0] > '9' {
			m := monthName(p)
			if m == "" {
				if n > 0 {
					break // a weekday or time zone may follow
				}
				continue
			}
			p = m
			months = n + 1
		}
		if i := strings.IndexByte(p, 't'); i > 0 { // 1980-02-01t00:00
			p = p[:i]
		}
		if n == 3 {
			break
		}
		parts[n] = p
		n++
	}
	switch {
	case n == 1:
		p := parts[0]
		if strings.Trim(p, "0123456789") != "" {
			return ""
		}
		switch len(p) {
		case 8:
			if d := date(p[:4], p[4:6], p[6:]); d != "" {
				return d
			}
			if d := date(p[4:], p[2:4], p[:2]); d != "" {
				return d
			}
			return date(p[4:], p[:2], p[2:4])
		case 4:
			return date(p, "", "")
		}
		return ""
	case n == 2 && len(parts[0]) == 4:
		return date(parts[0], parts[1], "")
	case n == 2 && len(parts[1]) == 4:
		return date(parts[1], parts[0], "")
	case n < 3:
		return ""
	case len(parts[0]) == 4:
		return date(parts[0], parts[1], parts[2])
	}
	day, month := parts[0], parts[1]
	if months == 1 || months == 0 && monthFirst && strings.Contains(s, "/") {
		day, month = month, day
	}
	if d := date(parts[2], month, day); d != "" || months != 0 {
		return d
	}
	return date(parts[2], day, month)
}

// date puts a date together; "" where the parts make none. Two digits of a year are of the century that ends in 2029.
func date(year, month, day string) string {
	y, m, d := number(year), number(month), number(day)
	if len(year) == 2 && y >= 0 {
		if y += 1900; y < 1930 {
			y += 100
		}
	}
	if y < 1000 || y > 2100 || m < 0 || m > 12 || d < 0 || d > 31 {
		return ""
	}
	return string([]byte{'0' + byte(y/1000), '0' + byte(y/100%10), '0' + byte(y/10%10), '0' + byte(y%10), '0' + byte(m/10), '0' + byte(m%10),
		'0' + byte(d/10), '0' + byte(d%10)})
}

// number reads up to four digits; "" is 0, anything else -1.
func number(s string) int {
	if len(s) > 4 {
		return -1
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func monthName(s string) string {
	if len(s) < 3 {
		return ""
	}
	three := strings.NewReplacer("mär", "mar", "mai", "may", "okt", "oct", "dez", "dec").Replace(s)
	for i, m := range monthNames {
		if strings.HasPrefix(three, m) {
			return string([]byte{'0' + byte((i+1)/10), '0' + byte((i+1)%10)})
		}
	}
	return ""
}
