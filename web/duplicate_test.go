package web_test

import (
	"fmt"
	"strings"
	"testing"

	"aldine/internal/access"
)

// twins imports people of whom some are there twice; the last two have two external ids.
func (s *site) twins(b *browser) {
	file := "external_id,first_name,last_name,street,postal_code,city,country,email,phone\n"
	row := func(ext string, i int, given, email string) {
		f := strings.SplitN(person(i), ",", 6)
		if given == "" {
			given = f[0]
		}
		file += fmt.Sprintf("%s,%s,%s,%s,%s,%s,US,%s,+1212555%04d\n", ext, given, f[1], f[2], f[3], f[4], email, 1000+i)
	}
	for i := range 60 {
		row(fmt.Sprintf("A%d", i), i, "", "")
	}
	row("", 3, "Beatrx", "beatrix@example.org")
	row("", 17, "", "")
	row("", 24, "", "")
	row("B1", 30, "", "")
	s.takeFile(b, file)
}

// TestDuplicates reviews pairs as a person without a mouse or a script would: by forms alone.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Marketer)
	b.get("/duplicates").want(200).has("Not searched yet", "Search the house file")
	b.get("/duplicates/next").to("/duplicates")
	b.get("/duplicates/1/2").want(404)
	b.get("/duplicates/x/2").want(404)
	b.get("/duplicates?after=nonsense").want(422)
	b.post("/duplicates/undo").to("/duplicates")
	s.twins(b)
	b.post("/duplicates/searches").to("/duplicates")
	b.get("/duplicates").want(200).has("The search has begun", "Waiting for its turn", "Cancel")
	b.post("/duplicates/searches").want(409)
	s.work()
	if p := b.fragment("GET", "/duplicates/live").want(200); p.header.Get("HX-Refresh") != "true" {
		t.Error("the page does not learn that the search has ended")
	}
	list := b.get("/duplicates").want(200).has("To review 4", "Beatrx", "one slip of the pen", "wo external ids")
	if n := len(list.all("tr", "data-href", "*")); n != 4 {
		t.Fatalf("%d pairs", n)
	}

	// The pair that differs in a letter, wherever it stands in the queue.
	var path, conflicting string
	for next := "/duplicates/next"; ; {
		at := b.get(next).to("/duplicates")
		if at == "/duplicates" {
			b.get(at).want(200).has("4 that were skipped stay open")
			break
		}
		p := b.get(at).want(200).has("One person or two?", "Number kept", "4 left")
		if strings.Contains(p.text(), "Beatr i") || strings.Contains(p.text(), "Beatrx") {
			path = at
		}
		if len(p.all("input", "name", "despite")) > 0 {
			conflicting = at
		}
		next, _ = attr(p.one("a", "data-key", "s"), "href")
	}
	if path == "" || conflicting == "" {
		t.Fatalf("the pairs are %q and %q", path, conflicting)
	}
	p := b.get(path).want(200).has("First name", "one slip of the pen", "Same")
	if marks := p.all("mark", "class", "differs"); len(marks) == 0 {
		t.Error("nothing is marked")
	}
	old, kept := "", ""
	for _, in := range p.all("input", "name", "survivor") {
		value, _ := attr(in, "value")
		if _, on := attr(in, "checked"); on {
			kept = value
		} else {
			old = value
		}
	}
	if kept == "" || old == "" {
		t.Fatal("no number is proposed")
	}
	b.get(path+"?take=b").want(200).one("a", "aria-current", "true")
	b.post(path, "do", "guess").want(422)
	b.post(path, "do", "merge", "f.last_name", "c").want(422).has("one of the two sides")
	b.post(path, "do", "merge", "survivor", kept).to("/duplicates/next")
	b.get("/customers/" + old).to("/customers/" + kept)
	b.get("/customers/"+kept).want(200).has("was merged into this customer", "Also known as number "+old, "beatrix@example.org", "Undo…")
	b.post("/duplicates/undo").to(path)
	b.get(path).want(200).has("Undone: the pair is open again")
	b.get("/customers/" + old).want(200).has("May be the same person")

	b.post(path, "do", "merge", "survivor", kept).to("/duplicates/next")
	page := b.get("/customers/" + kept).want(200)
	undo := ""
	for _, a := range page.all("a") {
		if href, _ := attr(a, "href"); strings.HasSuffix(href, "/undo") {
			undo = href
		}
	}
	b.get(undo).want(200).has("becomes a customer of its own again")
	b.post(undo).to("/customers/" + kept)
	b.get("/customers/" + old).want(200)
	b.post(undo).want(422)
	b.get("/customers/" + kept + "/merges/01890000-0000-7000-8000-000000000000/undo").want(404)

	b.post(conflicting, "do", "merge").want(422).has("external ids differ")
	b.get(conflicting).want(200).has("two external ids, A30 and B1")
	b.post(conflicting, "do", "different").to("/duplicates/next")
	b.get(conflicting).want(200).has("different people", "Open the pair again")
	b.post("/duplicates/undo").to(conflicting)
	b.get(conflicting).want(200).has("They have two external ids").hasNot("Decided")

	// Among so few people nothing is as sure as that.
	_, err := s.pool.Exec(t.Context(), `UPDATE duplicates SET score = 0.995 WHERE conflict IS NULL AND customer_id::text <> $1`, kept)
	must(t, err)
	b.get("/duplicates/sure").want(200).has("at least 99 % sure")
	b.post("/duplicates/sure", "typed", "7000").want(422).has("that many pairs are sure now")
	var sure int
	must(t, s.pool.QueryRow(t.Context(), `SELECT count(*) FROM duplicates WHERE state = 'open' AND conflict IS NULL AND score >= 0.99`).Scan(&sure))
	b.post("/duplicates/sure", "typed", fmt.Sprint(sure)).to("/duplicates")
	s.work()
	b.get("/duplicates").want(200).has(fmt.Sprintf("Merged %d", sure), fmt.Sprintf("To review %d", 4-sure))
	if s.log.Len() > 0 {
		t.Errorf("errors in the log: %s", s.log.String())
	}
}
