package match

import "strings"

// businessWords are words that names of businesses have and people's names have not.
var businessWords = wordSet(`the of and on at in und et bar bistro brasserie cafe caffe club deli diner grill hotel house inn kitchen pizza pizzeria pub
		restaurant ristorante room steakhouse tavern trattoria bank center centre church clinic college company corp foundation garage group gmbh hospital inc
		institute limited llc ltd market museum office pharmacy plc salon school services shop society solutions store studio systems university works`)

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// businesses tells by the first rows whether a column called name holds names of businesses: a third of them have a word or
// sign that no person's name has, or are longer than those.
func businesses(rows [][]string, at int) bool {
	odd, all := 0, 0
	for _, cells := range rows {
		if at >= len(cells) || cells[at] == "" {
			continue
		}
		all++
		words := strings.Fields(fold(cells[at]))
		telling := len(words) > 4 || strings.ContainsAny(cells[at], "&0123456789/") || strings.Contains(cells[at], "'s")
		for _, w := range words {
			telling = telling || businessWords[w]
		}
		if telling {
			odd++
		}
	}
	return all > 0 && odd*3 >= all
}
