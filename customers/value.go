package customers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// parseValue reads the text of an attribute's value, nil for ""; the error says in words what is wrong.
func parseValue(t AttributeType, s string) (any, error) {
	s, err := cleanText(s)
	if s == "" || err != nil {
		return nil, err
	}
	switch t {
	case Number:
		return parseNumber(s)
	case Money:
		return parseMoney(s)
	case Bool:
		return parseBool(s)
	case Date:
		at, err := parseTime(s)
		return at.Truncate(24 * time.Hour), err
	case Time:
		return parseTime(s)
	case List:
		return parseList(s), nil
	}
	return s, nil
}

func parseNumber(s string) (any, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(s, "xXpP_iInN") {
		return nil, errors.New("is not a number such as 12.5")
	}
	return f, nil
}

func parseMoney(s string) (decimal.Decimal, error) {
	d, err := decimal.Parse(s)
	if err != nil {
		return decimal.Decimal{}, errors.New("is not an amount such as 12.50")
	}
	return d, fitsMoney(d)
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "1", "on", "ja", "oui", "si", "x":
		return true, nil
	case "false", "f", "no", "n", "0", "off", "nein", "non":
		return false, nil
	}
	return false, errors.New("is not yes or no")
}

// timeForms are the ways to write a time that can be read in one way only. Without a zone it is UTC.
var timeForms = []string{"2006-01-02", time.RFC3339, "2006-01-02 15:04:05", "20060102", "02.01.2006", "2006/01/02",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07", "2006-01-02 15:04", "2006-01-02T15:04", "02.01.2006 15:04", "02.01.2006 15:04:05"}

func parseTime(s string) (time.Time, error) {
	for _, form := range timeForms {
		if at, err := time.Parse(form, s); err == nil {
			at = at.UTC().Truncate(time.Microsecond)
			if at.Year() < 1 || at.Year() > 9999 {
				break
			}
			return at, nil
		}
	}
	if strings.Count(s, "/") == 2 {
		return time.Time{}, errors.New("could be read as day/month or month/day: write 2026-11-23")
	}
	return time.Time{}, errors.New("is not a date or time such as 2026-11-23 or 2026-11-23T09:30:00Z")
}

// parseList splits at bars, else at semicolons, else at commas.
func parseList(s string) any {
	sep := ","
	for _, c := range []string{"|", ";"} {
		if strings.Contains(s, c) {
			sep = c
			break
		}
	}
	var items []string
	for _, item := range strings.Split(s, sep) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	if items == nil {
		return nil
	}
	return items
}

// typedValue takes a value as decoded from JSON; text is parsed, null and "" are nil.
func typedValue(t AttributeType, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		return parseValue(t, x)
	case json.Number:
		return numeric(t, x.String())
	case float64:
		return numeric(t, strconv.FormatFloat(x, 'f', -1, 64))
	case int:
		return numeric(t, strconv.Itoa(x))
	case int64:
		return numeric(t, strconv.FormatInt(x, 10))
	case decimal.Decimal:
		return numeric(t, x.String())
	case bool:
		if t == Bool {
			return x, nil
		}
	case time.Time:
		if t == Date || t == Time {
			return parseValue(t, x.UTC().Format(time.RFC3339Nano))
		}
	case []string:
		return listOf(t, x)
	case []any:
		items := make([]string, len(x))
		for i, item := range x {
			s, ok := item.(string)
			if !ok {
				return nil, errors.New("is not a list of texts")
			}
			items[i] = s
		}
		return listOf(t, items)
	}
	return nil, fmt.Errorf("is not a value of type %s", t)
}

func numeric(t AttributeType, s string) (any, error) {
	if t != Number && t != Money {
		return nil, fmt.Errorf("is a number, not a value of type %s", t)
	}
	return parseValue(t, s)
}

func listOf(t AttributeType, items []string) (any, error) {
	if t != List {
		return nil, fmt.Errorf("is a list, not a value of type %s", t)
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, err := cleanText(item)
		if err != nil {
			return nil, err
		}
		if s != "" {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// sameValue compares two values of one attribute.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case decimal.Decimal:
		y, ok := b.(decimal.Decimal)
		return ok && x.Cmp(y) == 0
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case []string:
		y, ok := b.([]string)
		return ok && slices.Equal(x, y)
	case nil:
		return b == nil
	}
	if _, ok := b.([]string); ok {
		return false
	}
	return a == b
}
