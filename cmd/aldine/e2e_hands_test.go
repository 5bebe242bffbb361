package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// finder finds a control by its role and by the name that a screen reader would say: what it is labelled, or what is
// written on it. "Template/2" is the second one with this name.
const finder = `((role, wanted) => {
	const kinds = {
		field: "input:not([type=hidden]), textarea, select",
		press: "button, a[href], summary, input[type=radio], input[type=checkbox]",
	};
	const words = el => {
		const copy = el.cloneNode(true);
		copy.querySelectorAll("svg, input, select, textarea, [aria-hidden=true]").forEach(e => e.remove());
		return copy.textContent;
	};
	const name = el => el.getAttribute("aria-label") || (el.labels && el.labels.length ? words(el.labels[0]) : words(el));
	const tidy = s => s.replace(/\s+/g, " ").trim();
	const [, text, nth] = /^(.*?)(?:\/(\d+))?$/.exec(wanted);
	const shown = [...document.querySelectorAll(kinds[role])].filter(el => el.getClientRects().length && !el.disabled);
	let found = shown.filter(el => tidy(name(el)) === text);
	if (!found.length) found = shown.filter(el => tidy(name(el)).startsWith(text));
	const el = found[(nth || 1) - 1] || null;
	return el && el.matches(".btn-check") ? el.labels[0] : el; // of these one sees the label only
})(%s, %s)`

func find(role, name string) string { return fmt.Sprintf(finder, quoted(role), quoted(name)) }

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// open types an address.
func (v *visitor) open(path string) {
	v.t.Helper()
	v.run("open "+path, chromedp.Navigate(v.base+path))
}

// keys types on the keyboard, whatever has the focus.
func (v *visitor) keys(text string) {
	v.t.Helper()
	v.run("type", chromedp.KeyEvent(text))
}

// key presses one key as a key with a meaning: a page that takes it for itself keeps it from being typed.
func (v *visitor) key(k string) {
	v.t.Helper()
	v.run("press the key "+k, input.DispatchKeyEvent(input.KeyDown).WithKey(k).WithText(k).WithUnmodifiedText(k), input.DispatchKeyEvent(input.KeyUp).WithKey(k))
}

// fill replaces what a field holds, by the keyboard.
func (v *visitor) fill(label, text string) {
	v.t.Helper()
	at := find("field", label)
	v.run("fill "+label, chromedp.Focus(at, chromedp.ByJSPath), chromedp.Evaluate(at+`.select()`, nil))
	if text == "" {
		text = kb.Backspace
	}
	v.keys(text)
}

// paste puts a long text into a field at once.
func (v *visitor) paste(label, text string) {
	v.t.Helper()
	at := find("field", label)
	v.run("paste into "+label, chromedp.Focus(at, chromedp.ByJSPath), chromedp.Evaluate(at+`.select()`, nil), input.InsertText(text))
}

// choose takes an option by its words, or sets a date, as its picker would.
func (v *visitor) choose(label, option string) {
	v.t.Helper()
	var done bool
	v.run("choose "+option+" for "+label, chromedp.WaitReady(find("field", label), chromedp.ByJSPath), chromedp.Evaluate(fmt.Sprintf(`((el, wish) => {
		if (el.tagName === "SELECT") {
			const o = [...el.options].find(o => o.text.trim() === wish);
			if (!o) return false;
			wish = o.value;
		}
		el.value = wish;
		for (const e of ["input", "change"]) el.dispatchEvent(new Event(e, { bubbles: true }));
		return el.value === wish;
	})(%s, %s)`, find("field", label), quoted(option)), &done))
	if !done {
		v.giveUp(label + " does not offer " + option)
	}
}

// value is what a field holds; of a choice, the words of its option.
func (v *visitor) value(label string) string {
	v.t.Helper()
	var s string
	v.run("read "+label, chromedp.WaitReady(find("field", label), chromedp.ByJSPath),
		chromedp.Evaluate(`(el => el.tagName === "SELECT" ? el.selectedOptions[0].text : el.value)(`+find("field", label)+`)`, &s))
	return s
}

// attach chooses a file.
func (v *visitor) attach(label, name, body string) {
	v.t.Helper()
	path := filepath.Join(v.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.run("attach "+name, chromedp.SetUploadFiles(find("field", label), []string{path}, chromedp.ByJSPath))
}

// press clicks a button or link and stays on the page.
func (v *visitor) press(name string) {
	v.t.Helper()
	v.run("press "+name, chromedp.Click(find("press", name), chromedp.ByJSPath))
}

// tick goes to a box and presses the space bar, and makes sure that the box is as wanted now.
func (v *visitor) tick(name string, want bool) {
	v.t.Helper()
	at := find("press", name)
	v.run("tick "+name, chromedp.Focus(at, chromedp.ByJSPath), chromedp.KeyEvent(" "))
	v.await(fmt.Sprintf("%s to be %t", name, want), fmt.Sprintf("%s.checked === %t", at, want))
}

// follow presses a button or link and waits for the page that it leads to.
func (v *visitor) follow(name string) {
	v.t.Helper()
	v.leave(func() { v.press(name) })
}

// leave does something that leads to another page, and waits for it.
func (v *visitor) leave(do func()) {
	v.t.Helper()
	v.run("look", chromedp.Evaluate(`window.before = true; 0`, nil))
	do()
	v.await("another page", `!window.before && document.readyState === "complete"`)
}

// await waits until an expression is true in the page.
func (v *visitor) await(what, expression string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	for {
		var yes bool
		if err := chromedp.Run(ctx, chromedp.Evaluate(`!!(`+expression+`)`, &yes)); err == nil && yes {
			return // an error means that the page is just changing
		}
		select {
		case <-ctx.Done():
			v.giveUp("waited in vain for " + what)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

const pageText = `document.body.innerText.replace(/\s+/g, " ")`

// see waits until the page says all of it; white space counts as one blank.
func (v *visitor) see(texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		v.await(quoted(text), pageText+`.includes(`+quoted(text)+`)`)
	}
}

// seeNot fails if the page says it now.
func (v *visitor) seeNot(texts ...string) {
	v.t.Helper()
	text := v.text("body")
	for _, s := range texts {
		if strings.Contains(text, s) {
			v.giveUp("the page should not say " + quoted(s))
		}
	}
}

// text is what the first element of a selector says, on one line.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	var s string
	v.run("read "+selector, chromedp.Text(selector, &s, chromedp.ByQuery))
	return strings.Join(strings.Fields(s), " ")
}

// seeInFrame waits until the document inside the page, which is locked into a sandbox, says a text.
func (v *visitor) seeInFrame(text string) {
	v.t.Helper()
	var said string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var frames []*cdp.Node
		ctx, cancel := context.WithTimeout(v.tab, 2*time.Second)
		err := chromedp.Run(ctx, chromedp.Nodes("iframe", &frames, chromedp.ByQuery))
		if err == nil && len(frames) == 1 {
			err = chromedp.Run(ctx, chromedp.TextContent("body", &said, chromedp.ByQuery, chromedp.FromNode(frames[0])))
		}
		cancel()
		if err == nil && strings.Contains(strings.Join(strings.Fields(said), " "), text) {
			return
		}
	}
	v.giveUp(fmt.Sprintf("the frame does not say %q but %q", text, said))
}

// figure is the number under a heading such as "Sent".
func (v *visitor) figure(heading string) string {
	v.t.Helper()
	var s string
	v.run("read the figure "+heading, chromedp.Evaluate(`(() => {
		const h = [...document.querySelectorAll(".kpis .subheader")].find(e => e.textContent.trim() === `+quoted(heading)+`);
		return h ? h.nextElementSibling.textContent.replace(/\s+/g, " ").trim() : "(none)";
	})()`, &s))
	return s
}

// seeFigures waits until figures are as given in pairs.
func (v *visitor) seeFigures(pairs ...string) {
	v.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		var got string
		for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			if got = v.figure(pairs[i]); got == pairs[i+1] {
				break
			}
			if time.Now().After(end) {
				v.giveUp(fmt.Sprintf("%s is %s, want %s", pairs[i], got, pairs[i+1]))
			}
		}
	}
}

// at tells the path of the page.
func (v *visitor) at() string {
	v.t.Helper()
	var s string
	v.run("look at the address", chromedp.Location(&s))
	u, err := url.Parse(s)
	if err != nil {
		v.t.Fatal(err)
	}
	return u.Path
}

// save presses a button or link that downloads, and gives the file.
func (v *visitor) save(name string) (fileName string, body []byte) {
	v.t.Helper()
	had := map[string]bool{}
	list := func() []os.DirEntry {
		entries, err := os.ReadDir(v.downloads)
		if err != nil {
			v.t.Fatal(err)
		}
		return entries
	}
	for _, e := range list() {
		had[e.Name()] = true
	}
	v.press(name)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		for _, e := range list() {
			// Chromium keeps the name with an empty file, writes to a file of another name, and moves it there in the end.
			if n := e.Name(); !had[n] && !strings.HasSuffix(n, ".crdownload") && !strings.HasPrefix(n, ".") {
				if b, err := os.ReadFile(filepath.Join(v.downloads, n)); err == nil && len(b) > 0 {
					return n, b
				}
			}
		}
	}
	v.giveUp("nothing was downloaded by " + name)
	return "", nil
}

// focus tells what the keyboard is at, by its words.
func (v *visitor) focus() string {
	v.t.Helper()
	var s string
	v.run("look at the focus", chromedp.Evaluate(`(e => e.getAttribute("aria-label") || (e.labels && e.labels.length ? e.labels[0].textContent : "") || e.textContent)(document.activeElement).replace(/\s+/g, " ").trim()`, &s))
	return s
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
