package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/internal/access"
	"aldine/internal/settings"
	"aldine/segments"
)

// audit lists what is wrong with the page for people who can't see well, who use no mouse, or who have a small screen.
const audit = `(() => {
	const faults = [];
	const shown = el => el.getClientRects().length > 0 && getComputedStyle(el).visibility === "visible";
	const what = el => el.tagName.toLowerCase() + (el.id ? "#" + el.id : "") + (el.name ? "[name=" + el.name + "]" : "") + " " +
		JSON.stringify(el.textContent.replace(/\s+/g, " ").trim().slice(0, 40));
	if (document.documentElement.scrollWidth > innerWidth) {
		const wide = [...document.querySelectorAll("main *")].filter(e => shown(e) && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-responsive, .subnav, svg"));
		faults.push("wider than the screen: " + document.documentElement.scrollWidth + " " + wide.slice(0, 3).map(what));
	}
	if (document.querySelectorAll("h1").length !== 1) faults.push(document.querySelectorAll("h1").length + " main headings");
	const ids = new Map();
	for (const el of document.querySelectorAll("[id]")) ids.set(el.id, (ids.get(el.id) || 0) + 1);
	for (const [id, n] of ids) if (n > 1) faults.push(n + " elements have the id " + id);
	for (const el of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")) {
		const name = el.getAttribute("aria-label") || [...(el.labels || [])].map(l => l.textContent).join(" ") || el.textContent;
		if (!name.trim()) faults.push("without a name: " + what(el));
	}
	for (const el of document.querySelectorAll("[aria-describedby], [aria-controls], label[for]"))
		for (const id of (el.getAttribute("aria-describedby") || el.getAttribute("aria-controls") || el.htmlFor).split(" "))
			if (!document.getElementById(id)) faults.push(what(el) + " refers to " + id + ", which is not there");

	// Contrast of text to what is behind it, as WCAG 2.2 counts it.
	const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true }), known = new Map();
	const parts = c => {
		if (!known.has(c)) { // the browser knows all ways of writing a colour
			pixel.clearRect(0, 0, 1, 1);
			pixel.fillStyle = c;
			pixel.fillRect(0, 0, 1, 1);
			const p = [...pixel.getImageData(0, 0, 1, 1).data];
			known.set(c, [p[0], p[1], p[2], p[3] / 255]);
		}
		return [...known.get(c)];
	};
	const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
	const behind = el => { const c = parts(getComputedStyle(el).backgroundColor); return c[3] === 1 ? c : over(c, el.parentElement ? behind(el.parentElement) : [255, 255, 255, 1]); };
	const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
	const pale = new Map();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !shown(el) || el.closest("svg, option, script, :disabled, .skip")) continue;
		// The coloured text under an editor is what is seen of it, and is looked at itself.
		if (el.matches(".expr-box .over") && el.parentElement.querySelector(".under")?.textContent.trim() === el.value.trim()) continue;
		let opacity = 1;
		for (let e = el; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
		const style = getComputedStyle(el), back = behind(el), own = parts(style.color);
		own[3] *= opacity;
		const [a, b] = [light(over(own, back)), light(back)], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (ratio < (large ? 3 : 4.5)) pale.set(el.className + style.color + back, "contrast " + ratio.toFixed(2) + ": " + what(el) + " " + style.color + " on " + back.map(Math.round));
	}
	return faults.concat([...pale.values()]);
})()`

// Names as an attacker would import them: every page shows them as the text that they are, and every page can be used
// by keyboard, by screen reader, on a telephone and in the dark.
func TestE2EPages(t *testing.T) {
	t.Parallel()
	const script, image = `<script>alert(1)</script>`, `"><img src=x onerror=alert(2)>`
	h := newHouse(t)
	ctx := system()
	if _, err := h.settings.Update(ctx, func(v *settings.Values) error { v.CallFromHour, v.CallToHour = 0, 24; return nil }); err != nil {
		t.Fatal(err)
	}
	h.take("external_id,first_name,last_name,company,email,phone,street,postal_code,city,country\n"+
		`K1,`+script+`,"""><img src=x onerror=alert(2)>","{{ 7 | times: 6 }}",k1@example.org,+12125551001,1 Main Street,10001,`+script+",US\n"+
		`K2,Anna,Smith,,k2@example.org,+12125551002,2 Main Street,10002,New York,US`+"\n", 2)
	if _, err := h.segments.Create(ctx, segments.Draft{Name: script, Expression: `country == "US"`, Description: image}); err != nil {
		t.Fatal(err)
	}
	h.template(content.Template{Name: image, Channel: content.Email, Subject: "To {{ customer.first_name }}", HTML: `<p>Dear {{ customer.first_name }}, <a href="https://shop.example/">look</a></p>`})
	h.template(content.Template{Name: "Text", Channel: content.SMS, Body: "Hello {{ customer.first_name }}"})
	h.template(content.Template{Name: "Letter", Channel: content.Post, Body: "Dear {{ customer.first_name }}"})
	h.template(content.Template{Name: "Script", Channel: content.Calls, Body: "Good day {{ customer.first_name }}"})
	h.launch("Campaign "+script, "1000", `{"start":"m","steps":[{"key":"m","type":"email","template":`+quoted(image)+`,"unit_cost":"0.01","next":"s"},
		{"key":"s","type":"sms","template":"Text","unit_cost":"0.07","next":"p"},{"key":"p","type":"post","template":"Letter","unit_cost":"0.7","next":"c"},
		{"key":"c","type":"calls","template":"Script","unit_cost":"1.5"}]}`)
	draft, err := h.campaigns.Create(ctx, campaigns.Input{Name: "Draft", Currency: "EUR", Expression: `country == "US"`, Journey: []byte(
		`{"start":"w","steps":[{"key":"w","type":"wait","for":"2d","next":"b"},{"key":"b","type":"branch","if":"orders_count > 0","then":"x"},
		{"key":"x","type":"split","arms":[{"weight":1,"next":"m"},{"weight":1}]},{"key":"m","type":"email","template":` + quoted(image) + `}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	h.serve()
	await(t, "the call list", patience, func() bool {
		var n int
		err := h.pool.QueryRow(t.Context(), `SELECT count(*) FROM calls`).Scan(&n)
		return err == nil && n == 2
	})

	v := h.visitAs(access.Admin)
	// The first stop of the keyboard is a way past the places, and it works.
	v.open("/customers")
	v.keys(kb.Tab)
	if f := v.focus(); f != "Skip to the content" {
		t.Errorf("the first stop of the keyboard is %q", f)
	}
	v.shoot("skip")
	v.keys(kb.Enter)
	v.await("the focus in the content", `document.activeElement.id === "content"`)

	hostile := []string{"/customers", "/customers/1", "/customers/1/edit", "/segments", "/segments/1", "/campaigns", "/campaigns/1", "/campaigns/1/pause",
		"/campaigns/new", "/templates/1", "/outbox", "/calls", "/calls/1/next", "/reports", "/reports/1", "/reports/1/ledger", "/"}
	plain := []string{"/customers/new", "/suppressions", "/imports", "/imports/new", "/imports/1", "/segments/new", fmt.Sprintf("/campaigns/%d", draft.ID),
		fmt.Sprintf("/campaigns/%d/edit", draft.ID), fmt.Sprintf("/campaigns/%d/cancel", draft.ID), "/templates", "/templates/new?channel=post", "/outbox/1", "/print-runs",
		"/print-runs/1", "/reports/unmatched", "/settings/company", "/settings/users", "/settings/tokens", "/settings/attributes", "/settings/lists",
		"/settings/products", "/settings/rates", "/settings/audit", "/settings/tracking", "/settings/facts", "/settings/jobs", "/password"}
	look := func(path, as string) {
		t.Helper()
		v.open(path)
		v.await("the parts that come later", `document.readyState === "complete" && !document.querySelector(".htmx-request")`)
		var faults []string
		v.run("audit", chromedp.Evaluate(audit, &faults))
		for _, f := range faults {
			t.Errorf("%s (%s): %s", path, as, f)
		}
		v.shoot(as + strings.NewReplacer("/", "-", "?", "-").Replace(path))
	}
	for _, path := range append(hostile, plain...) {
		look(path, "desk")
		var live int
		v.run("look for live code", chromedp.Evaluate(`document.querySelectorAll("body script:not([src^='/static/']):not([type='application/json']), [onerror], main img").length`, &live))
		if live > 0 {
			t.Errorf("%s: a name has become code", path)
		}
	}
	for _, path := range hostile {
		v.open(path)
		v.see("alert(")
	}
	v.open("/segments/1")
	v.press("Show some of them")
	v.see(script)
	v.open("/outbox?to=k1@example.org")
	v.follow("To <script>")
	v.see("Dear " + script) // in the plain text
	var policy string
	v.run("fetch", chromedp.Evaluate(`fetch("/").then(r => r.headers.get("Content-Security-Policy"))`, &policy, awaitPromise))
	if !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the content policy is %q", policy)
	}

	v.press("Switch between light and dark")
	v.run("take a telephone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	for _, path := range append(hostile, plain...) {
		look(path, "phone")
	}
	v.open("/")
	v.press("Show the places")
	v.await("the places", `document.querySelector("#places.show:not(.collapsing)")`)
	v.follow("Reports")
	v.see("XLSX", "Launched from")
}
