package duplicates

import "strings"

// Tables names all tables that a merge knows of.
func (s *Service) Tables() string {
	var names []string
	for _, t := range history {
		names = append(names, t.name)
	}
	for _, l := range lookups {
		names = append(names, l.name)
	}
	for name := range elsewhere {
		names = append(names, name)
	}
	return strings.Join(names, " ")
}
