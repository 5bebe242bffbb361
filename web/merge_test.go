package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"aldine/internal/access"
)

// send posts a form with a file after its fields.
func (b *browser) send(path, name, body string, pairs ...string) *page {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for i := 0; i+1 < len(pairs); i += 2 {
		must(b.t, w.WriteField(pairs[i], pairs[i+1]))
	}
	if name != "" {
		part, err := w.CreateFormFile("file", name)
		must(b.t, err)
		_, err = part.Write([]byte(body))
		must(b.t, err)
	}
	must(b.t, w.Close())
	return b.do("POST", path, w.FormDataContentType(), &buf)
}

var (
	givens   = strings.Fields("Oliver Amelia Walter Beatrix Conrad Dorothea Ernest Florence Gideon Harriet Isidore Josephine")
	surnames = strings.Fields("Abernathy Blackwood Carruthers Delacroix Eisenberg Fitzgerald Goldsworthy Hawthorne Iverson Jankowski Kilpatrick Lindqvist")
	streets  = strings.Fields("Acacia Birch Chestnut Dogwood Elm Fir Ginkgo Hazel Ironwood Juniper Katsura Larch")
)

// person gives a line of a rented list; no two of the 144 are alike.
func person(i int) string {
	g, s := i%12, (i/12+i)%12
	return fmt.Sprintf("%s,%s,%d %s Road,%05d,%s,US\n", givens[g], surnames[s], 100+i*7, streets[(g*5+s)%12], 20000+i*37, []string{"Springfield", "Riverton", "Milford"}[i%3])
}

const rentedHeader = "first name,surname,address,zip,town,country\n"

// TestMergePurge takes a run from its first page to the list of net names.
func TestMergePurge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Marketer)
	b.get("/merge-runs").want(200).has("No merge/purge yet", "Start the first one")
	house := "external_id,first_name,last_name,street,postal_code,city,country\n"
	for i := range 30 {
		f := strings.SplitN(person(i), ",", 6)
		house += fmt.Sprintf("H%d,%s,%s,%s,%s,%s,US\n", i, f[0], f[1], f[2], f[3], f[4])
	}
	s.takeFile(b, house)

	b.get("/merge-runs/new").want(200).has("One piece per", "Two people at one address get a piece each", "Lots")
	b.post("/merge-runs", "name", "", "level", "person", "seed", "x").want(422).has("whole number")
	b.post("/merge-runs", "name", "x", "level", "planet", "allocation", "hierarchy").want(422)
	run := b.post("/merge-runs", "name", "Spring mailing", "level", "person", "allocation", "random_within_hierarchy", "channel", "post", "seed", "7").to("/merge-runs/")
	b.post("/merge-runs", "name", "Spring mailing", "level", "person", "allocation", "hierarchy").want(422).has("Spring mailing")

	p := b.get(run).want(200).has("draft", "At least one of the first two is needed", "Add what takes part")
	if _, off := attr(p.one("button", "class", "btn-primary"), "disabled"); !off {
		t.Error("an empty run can be started")
	}
	b.post(run + "/start").want(422).has("nobody to mail")
	b.post(run+"/house", "expression", `country == "US" and frist_name == "x"`).want(422).has("first_name")
	b.post(run+"/house", "expression", `country == "US"`).to(run)
	b.get(run).want(200).has(`Customers with country == "US"`)

	b.send(run+"/files", "", "", "kind", "rented", "name", "GARDEN").want(422).has("Choose a file")
	b.send(run+"/files", "g.csv", "", "kind", "rented", "name", "GARDEN").want(422).has("empty")
	b.send(run+"/files", "g.csv", rentedHeader+person(0), "kind", "house", "name", "GARDEN").want(422).has("rented list or a suppression file")
	b.send(run+"/files", "g.csv", rentedHeader+person(0), "kind", "rented", "name", "GARDEN", "net_share", "850").want(422).has("0 to 100")
	garden := rentedHeader // 20 whom the house has, 30 of its own, one of them twice
	for i := 10; i < 60; i++ {
		garden += person(i)
	}
	garden += person(40)
	input := b.send(run+"/files", "garden.csv", garden, "kind", "rented", "name", "GARDEN", "price_per_thousand", "100", "currency", "EUR", "net_share", "85", "running_charge", "3").to(run + "/inputs/2")
	b.get(input).want(200).has("garden.csv", "first name", "is taken", givens[10])
	seeds := rentedHeader // 10 of GARDEN, 20 of its own
	for i := 50; i < 80; i++ {
		seeds += person(i)
	}
	b.send(run+"/files", "seeds.csv", strings.Replace(seeds, "zip", "mystery", 1), "kind", "rented", "name", "SEEDS").to(run + "/inputs/3")
	cols := b.get(run+"/inputs/3").want(200).has("mystery", "leave out")
	var pairs []string
	for _, sel := range cols.all("select") {
		name, _ := attr(sel, "name")
		value := ""
		for o := range sel.Descendants() {
			if _, chosen := attr(o, "selected"); chosen {
				value, _ = attr(o, "value")
			}
		}
		if label, _ := attr(sel, "aria-label"); strings.HasSuffix(label, "mystery") {
			value = "postal_code"
		}
		pairs = append(pairs, name, value)
	}
	b.post(run+"/inputs/3", "c0", "planet").want(422)
	b.post(run+"/inputs/3", pairs...).to(run + "/inputs/3")
	b.get(run+"/inputs/3").want(200).has("The columns are saved", "21850")
	b.send(run+"/files", "gone.csv", rentedHeader+person(5)+person(41)+person(70), "kind", "suppression", "name", "deceased").to(run + "/inputs/4")

	b.get(run).want(200).has("GARDEN", "SEEDS", "deceased")
	b.post(run+"/inputs/3/rank", "to", "up").to(run)
	if text := b.get(run).text(); strings.Index(text, "seeds.csv") > strings.Index(text, "garden.csv") {
		t.Error("SEEDS did not move up")
	}
	b.post(run+"/inputs/9/rank", "to", "up").want(404)
	b.get(run + "/inputs/1").want(404)
	b.get(run + "/apply").want(409)
	b.get(run + "/report.xlsx").want(404)
	b.get(run + "/net.csv").want(404)

	b.post(run + "/start").to(run)
	b.get(run).want(200).has("Waiting for its turn", "nothing changes until you apply")
	b.fragment("GET", run+"/live").want(200).has("Cancel")
	s.work()
	p = b.get(run).want(200).has("finished", "Adds up, for each list and in all", "GARDEN", "Who is also on which list", "deceased 1", "Net names")
	p.has("111 = 0 rejected + 3 suppressed + 31 duplicates + 77 net")
	if n := len(p.all("th", "scope", "row")); n != 4 {
		t.Errorf("the matrix has %d rows", n)
	}
	b.get(run+"/records").want(200).has("net name", "Next page")
	b.get(run+"/records?input=2&verdict=duplicate&reason=house").want(200).has("the house file has it; kept is", "kept is")
	b.get(run+"/records?verdict=suppressed").want(200).has("suppressed", "deceased, line 2")
	b.get(run + "/records?input=2&verdict=rejected").want(200).has("No such record")
	if book := b.get(run + "/report.xlsx").want(200); !strings.HasPrefix(book.body, "PK") {
		t.Error("the workbook is none")
	}
	if doc := b.get(run + "/report.json").want(200); !strings.Contains(doc.body, `"overlap"`) {
		t.Errorf("the report is %.200s", doc.body)
	}
	if file := b.get(run + "/net.csv").want(200); !strings.Contains(file.body, "Lindqvist") || file.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("the names are %.200s", file.body)
	}
	b.get(run + "/nothing").want(404)

	b.get(run + "/apply").want(200).has("makes a list Spring mailing of 77 names, of which 48 are rented; nothing is mailed")
	b.post(run + "/apply").to(run)
	s.work()
	b.get(run).want(200).has("applied", "Show the list", "Use it in a campaign", `in_list("Spring mailing")`)
	b.get("/merge-runs").want(200).has("Spring mailing", "applied", "77", "Person 4 114 77")
	b.fragment("POST", "/segments/check", "expression", `in_list("Spring mailing")`, "mode", "exact").want(200).has("77 customers")
	b.fragment("POST", "/segments/check", "expression", `country == "US"`, "mode", "exact").want(200).has("30 customers")
	b.post(run + "/apply").want(409)
	b.post(run + "/delete").want(409)

	other := b.post("/merge-runs", "name", "Other", "level", "household", "allocation", "hierarchy").to("/merge-runs/")
	b.post(other + "/house").to(other)
	b.post(other + "/start").to(other)
	b.post(other + "/cancel").to(other)
	b.get(other).want(200).has("cancelled", "Nothing was changed")
	b.post(other + "/delete").to("/merge-runs")
	b.get(other).want(404)
	if s.log.Len() > 0 {
		t.Errorf("errors in the log: %s", s.log.String())
	}
}

// takeFile imports customers as the proposal says.
func (s *site) takeFile(b *browser, file string) {
	mapping := b.upload("customers", "", "people.csv", file).to("/imports/mapping/")
	var pairs []string
	for _, sel := range b.get(mapping).want(200).all("select") {
		name, _ := attr(sel, "name")
		for o := range sel.Descendants() {
			if _, chosen := attr(o, "selected"); chosen {
				pairs = append(pairs, name, nodeText(o))
			}
		}
	}
	b.post(mapping, pairs...).to("/imports/")
	s.work()
}
