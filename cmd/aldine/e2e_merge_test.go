package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aldine/internal/access"
)

var (
	mergeGivens   = strings.Fields("Oliver Amelia Walter Beatrix Conrad Dorothea Ernest Florence Gideon Harriet Isidore Josephine")
	mergeSurnames = strings.Fields("Abernathy Blackwood Carruthers Delacroix Eisenberg Fitzgerald Goldsworthy Hawthorne Iverson Jankowski Kilpatrick Lindqvist")
)

// rentedPerson gives a line of a list; no two of the first 144 are alike.
func rentedPerson(i int) string {
	g, s := i%12, (i/12+i)%12
	return fmt.Sprintf("%s,%s,%d %s Road,%05d,%s,US\n", mergeGivens[g], mergeSurnames[s], 100+i*7, mergeGivens[(g*5+s)%12], 20000+i*37, []string{"Springfield", "Riverton", "Milford"}[i%3])
}

// A marketer joins two rented lists with the house file, and uses what is left.
func TestE2EMergePurge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	header := "first name,surname,address,postcode,city,country\n"
	house, garden, seeds := strings.Replace(header, "first", "external_id,first", 1), header, header
	for i := range 80 {
		switch line := rentedPerson(i); {
		case i < 20:
			house += fmt.Sprintf("H%d,%s", i, line)
			if i >= 10 {
				garden += line // ten whom the house has
			}
		case i < 50:
			garden += line
			if i >= 45 {
				seeds += line // five whom both lists have
			}
		default:
			seeds += line
		}
	}
	h.take(house, 20)
	h.serve()
	v := h.visitAs(access.Marketer)
	v.follow("Customers")
	v.follow("Merge/purge")
	v.see("No merge/purge yet")
	v.follow("New merge/purge")
	v.fill("Name", "Spring mailing")
	v.follow("Go on to the lists")
	v.see("Add what takes part")
	v.follow("Add the house file")
	v.see("The house file takes part.", "All own customers")
	for _, list := range []struct{ name, body string }{{"GARDEN", garden}, {"SEEDS", seeds}} {
		v.fill("List", list.name)
		v.attach("CSV file of the list", strings.ToLower(list.name)+".csv", list.body)
		v.follow("Add the rented list")
		v.see("What the columns hold", "is taken")
		v.follow("Back to the lists")
	}
	v.shoot("lists")
	v.follow("Start")
	v.see("Adds up, for each list and in all")
	v.seeFigures("Records read", "95", "Rejected", "0", "Suppressed", "0", "Duplicates", "15", "Net names", "80")
	v.see("Who is also on which list", "Net names on 2 rented lists 5")
	v.shoot("report")
	v.follow("Browse the records")
	v.leave(func() { v.choose("What became of it", "duplicate") })
	v.see("the house file has it; kept is", "another list has it; kept is")
	v.follow("Spring mailing")
	v.follow("Apply…")
	v.see("of 80 names, of which 60 are rented; nothing is mailed")
	v.follow("Make the list")
	v.see("applied", `in_list("Spring mailing")`)
	v.follow("Use it in a segment")
	v.see("80 customers")
	v.fill("Name", "Spring")
	v.follow("Save")
	v.see("The segment is saved.")
}

// A marketer decides on pairs by the keyboard alone, and takes a decision back.
func TestE2EDuplicates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	house := "external_id,first name,surname,address,postcode,city,country\n"
	for i := range 60 {
		house += fmt.Sprintf("H%d,%s", i, rentedPerson(i))
	}
	house += "," + strings.Replace(rentedPerson(3), "Beatrix", "Beatrx", 1) + "," + rentedPerson(17)
	h.take(house, 62)
	h.serve()
	v := h.visitAs(access.Marketer)
	v.open("/duplicates")
	v.follow("Search the house file")
	v.see("Last search", "To review 2")
	v.shoot("pairs")
	v.leave(func() { v.press("Review one by one") })
	v.see("One person or two?", "2 left")
	first := v.at()
	v.await("the left number to be kept", `document.querySelector("input[name=survivor]").checked`)
	v.leave(func() { v.key("2") }) // all from the right
	v.await("the right number to be kept", `!document.querySelector("input[name=survivor]").checked`)
	v.leave(func() { v.run("press the left arrow", chromedp.KeyEvent(kb.ArrowLeft)) })
	v.await("the left number to be kept", `document.querySelector("input[name=survivor]").checked`)
	v.run("go to the first choice", chromedp.Focus(`input[name=survivor]:checked`, chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight))
	v.await("the arrow to move within the field", `!document.querySelector("input[name=survivor]").checked && location.search === "?take=a"`)
	v.key("?")
	v.see("undo the last decision")
	v.shoot("pair")
	v.leave(func() { v.key("m") }) // from within a field too
	v.see("Merged:", "1 left")
	if v.at() == first {
		t.Error("the same pair comes again")
	}
	v.leave(func() { v.key("u") })
	v.see("Undone: the pair is open again.", "2 left")
	if v.at() != first {
		t.Errorf("undoing leads to %s, not to %s", v.at(), first)
	}
	v.leave(func() { v.key("m") })
	v.see("Merged:", "1 left")
	v.leave(func() { v.key("d") })
	v.see("All pairs are decided.", "Nothing to review")
	v.seeFigures("To review", "0", "Merged", "1", "Different people", "1")
	ids := strings.Split(strings.TrimPrefix(first, "/duplicates/"), "/")
	v.open("/customers/" + ids[1])
	v.see("was merged into this customer.", "Also known as")
	v.follow("Undo…")
	v.follow("Undo the merge")
	v.see("is there again as before the merge")
	v.shoot("undone")
}
