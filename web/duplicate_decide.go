package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// lastDecision is where the session remembers what the last decision was, for undoing it: merge or different, the two
// numbers, and the merge's id.
const lastDecision = "duplicates.last"

// nextPath leads to the pair after one, in the order of the queue.
func nextPath(pair duplicates.Pair) string {
	return "/duplicates/next?after=" + writeCursor(pair.Cursor())
}

// duplicateNext leads to the first open pair after a place in the queue. Who has seen all comes back to the list.
func (p *Pages) duplicateNext(c echo.Context) error {
	after, err := readCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	pairs, err := p.Duplicates.Open(ctx(c), after, 1)
	if err != nil {
		return err
	}
	if len(pairs) > 0 {
		return c.Redirect(http.StatusSeeOther, pairPath(pairs[0]))
	}
	counts, err := p.Duplicates.Counts(ctx(c))
	if err != nil {
		return err
	}
	if counts.Open > 0 {
		return p.done(c, "/duplicates", "You have seen all pairs; "+plural(counts.Open, "one that was skipped stays", "that were skipped stay")+" open.")
	}
	return p.done(c, "/duplicates", "All pairs are decided.")
}

// duplicateDecide does what a person decided on a pair, and leads to the next one.
func (p *Pages) duplicateDecide(c echo.Context) error {
	pair, err := p.pairParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	switch f.Get("do") {
	case "different":
		if err := p.Duplicates.Decide(ctx(c), pair.CustomerID, pair.OtherID, true); err != nil {
			return err
		}
		p.remember(c, "different", pair, "")
		return p.done(c, nextPath(pair), "Noted: "+names(pair)+" are different people.")
	case "reopen":
		if err := p.Duplicates.Decide(ctx(c), pair.CustomerID, pair.OtherID, false); err != nil {
			return err
		}
		return p.done(c, pairPath(pair), "The pair is open again.")
	case "merge":
		merged, err := p.mergePair(c, pair, f)
		if err != nil {
			if err := f.refused(err); err != nil {
				return err
			}
			return p.showPair(c, pair, f)
		}
		p.remember(c, "merge", pair, merged.ID)
		return p.done(c, nextPath(pair), "Merged: "+names(pair)+" are now customer "+number64(merged.SurvivorID)+".")
	}
	return fault.BadField("do", "Choose merge or different people")
}

func names(pair duplicates.Pair) string {
	return sideName(pair.A, pair.CustomerID) + " and " + sideName(pair.B, pair.OtherID)
}

// mergePair merges as the form says.
func (p *Pages) mergePair(c echo.Context, pair duplicates.Pair, f form) (duplicates.Merged, error) {
	survivor := survivorOf(pair, "", f)
	old := pair.OtherID
	if survivor == pair.OtherID {
		old = pair.CustomerID
	}
	choose := map[string]string{}
	for name := range f.values {
		field, ok := strings.CutPrefix(name, "f.")
		if !ok {
			continue
		}
		switch side := f.Get(name); side {
		case "a", "b":
			choose[field] = "old"
			if (side == "a") == (survivor == pair.CustomerID) {
				choose[field] = "survivor"
			}
		default:
			return duplicates.Merged{}, fault.BadField(field, "Choose one of the two sides")
		}
	}
	if pair.Conflict != "" && f.Get("despite") != "yes" {
		return duplicates.Merged{}, fault.BadField("despite", "Their external ids differ: tick that they are one person all the same, or decide that they are different people")
	}
	// What was left as proposed is the rule's choice, not the person's.
	proposed, err := p.Duplicates.PreviewMerge(ctx(c), survivor, old, nil)
	if err != nil {
		return duplicates.Merged{}, err
	}
	for _, ch := range proposed.Fields {
		if choose[ch.Field] == ch.Chosen {
			delete(choose, ch.Field)
		}
	}
	return p.Duplicates.Merge(ctx(c), survivor, old, choose)
}

func (p *Pages) remember(c echo.Context, what string, pair duplicates.Pair, merge string) {
	p.sessions.Put(ctx(c), lastDecision, strings.Join([]string{what, number64(pair.CustomerID), number64(pair.OtherID), merge}, " "))
}

// duplicateUndo takes the last decision of this session back and shows its pair again.
func (p *Pages) duplicateUndo(c echo.Context) error {
	parts := strings.Split(p.sessions.GetString(ctx(c), lastDecision), " ")
	if len(parts) != 4 {
		return p.done(c, "/duplicates", "There is no decision to undo.")
	}
	a, _ := strconv.ParseInt(parts[1], 10, 64)
	b, _ := strconv.ParseInt(parts[2], 10, 64)
	var err error
	if parts[0] == "merge" {
		_, err = p.Duplicates.Undo(ctx(c), parts[3])
	} else {
		err = p.Duplicates.Decide(ctx(c), a, b, false)
	}
	p.sessions.Remove(ctx(c), lastDecision)
	if err != nil {
		return err
	}
	return p.done(c, "/duplicates/"+parts[1]+"/"+parts[2], "Undone: the pair is open again.")
}
