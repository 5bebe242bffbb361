// The rows of a segment: the same expression as the text, clicked together. The server turns one into the other, so there
// is one meaning; what rows cannot show stays text.
(function () {
  "use strict";
  var segment = window.segment, box = document.getElementById("builder");
  if (!segment || !box) return;
  var names = segment.names, area = segment.area, textView = document.getElementById("text-view");
  var stays = document.getElementById("stays"), verdict = document.getElementById("verdict"), views = document.getElementById("views");
  var root = null, view = "text", serial = 0;

  // ---- What can be asked.
  var things = {}, asked = {}; // of collections: name -> facts of one; facts that are asked with the name of a property
  (names.reference || []).forEach(function (e) {
    var m = /^any\((\w+),/.exec(e.example); // which collection a fact belongs to, its example says
    if (m && e.name.charAt(0) === ".") (things[m[1]] = things[m[1]] || {})[e.name] = e.type;
    if (m && e.name.charAt(0) === "." && /\(/.test(e.signature)) asked[e.name] = e.type === "yes/no" ? "property that is yes or no" : "property that is " + (e.type === "number" ? "a number" : "text");
  });
  var campaign = { label: "campaign", list: "campaigns", hint: "any campaign" }, within = { label: "within", hint: "ever, or 30d" };
  var calls = { // with the values each takes
    bought: { label: "bought", args: [{ label: "product", hint: "any product" }, within] },
    clicked: { label: "clicked", args: [campaign, within] }, opened: { label: "opened", args: [campaign, within] },
    responded: { label: "responded to", args: [campaign, within] }, contacted: { label: "was contacted by", args: [campaign, within] },
    did: { label: "did", args: [{ label: "event", list: "events", hint: "any event" }, within] },
    contacts: { label: "number of contacts by", args: [{ label: "channel", list: "channels", hint: "any channel" }, within] },
    in_segment: { label: "is in the segment", args: [{ label: "segment", list: "segments", must: true }] },
    in_list: { label: "is on the list", args: [{ label: "list", list: "lists", must: true }] },
    birthday_within: { label: "has a birthday within", args: [{ label: "within", hint: "7d", must: true }] },
    nth: { label: "is every n-th customer", args: [{ label: "n", type: "number", must: true }] },
    bucket: { label: "is in a random part", args: [{ label: "seed", must: true }, { label: "from", type: "number", must: true }, { label: "below", type: "number", must: true }] }
  };
  var plain = {
    text: [["==", "is"], ["!=", "is not"], ["in", "is one of"], ["contains", "contains"], ["startsWith", "begins with"], ["endsWith", "ends with"], ["matches", "matches the pattern"], ["<", "sorts before"], [">", "sorts after"], ["<=", "sorts up to"], [">=", "sorts from"]],
    number: [[">=", "is at least"], [">", "is more than"], ["<=", "is at most"], ["<", "is less than"], ["==", "is"], ["!=", "is not"], ["in", "is one of"]],
    "yes/no": [["holds", "is yes"], ["==", "is"], ["!=", "is not"]],
    "list of text": [["contains", "has the item"]],
    "list of products": [["==", "is"], ["!=", "is not"], ["in", "is one of"], ["contains", "contains"], ["startsWith", "begins with"], ["endsWith", "ends with"], ["matches", "matches the pattern"]],
    duration: [[">=", "is at least"], [">", "is more than"], ["<=", "is at most"], ["<", "is less than"], ["==", "is"], ["!=", "is not"]]
  };
  var times = [[">", "ago", "in the last"], ["<", "ago", "longer ago than"], [">=", "ago", "at most … ago"], ["<=", "ago", "at least … ago"],
    ["<", "date", "before"], [">=", "date", "on or after"], [">", "date", "after"], ["<=", "date", "up to"], ["<", "now", "in the past"], [">", "now", "in the future"]];
  var typeNames = { text: "text", number: "number", money: "number", bool: "yes/no", date: "time", time: "time", list: "list of text" };
  function typeOf(left, of) {
    if (left.call) return left.of ? (/^(count|sum)$/.test(left.call) ? "number" : "yes/no") : (segment.functions[left.call] || {}).type || "yes/no";
    if (of) return (things[of] || {})[left.field] || "text";
    var f = segment.fields[left.field];
    return f ? typeNames[f.type] || f.type : "text";
  }

  function el(tag, props) {
    var e = document.createElement(tag);
    Object.keys(props || {}).forEach(function (k) {
      if (k === "on") Object.keys(props.on).forEach(function (n) { e.addEventListener(n, props.on[n]); });
      else if (k in e && k !== "list") e[k] = props[k];
      else e.setAttribute(k, props[k]);
    });
    for (var i = 2; i < arguments.length; i++) if (arguments[i]) e.append(arguments[i]);
    return e;
  }
  function select(options, value, label, change) {
    var s = el("select", { className: "form-select form-select-sm", "aria-label": label, on: { change: function () { change(s.value); } } });
    var groups = {};
    options.forEach(function (o) {
      var into = s;
      if (o[2]) into = groups[o[2]] = groups[o[2]] || s.appendChild(el("optgroup", { label: o[2] }));
      into.append(el("option", { value: o[0], textContent: o[1], selected: o[0] === value }));
    });
    return s;
  }
  function button(text, title, click, cls) { return el("button", { type: "button", className: "btn btn-sm " + (cls || ""), textContent: text, title: title, "aria-label": title, on: { click: click } }); }

  // ---- From the rows to the text.
  function changed(structure) {
    if (structure) draw();
    var mine = ++serial;
    fetch("/segments/text", { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams({ rows: JSON.stringify(root) }) })
      .then(function (r) { return r.json(); }).then(function (answer) {
        if (mine !== serial || view !== "rows") return;
        if (answer.why) { box.dataset.open = "yes"; say(answer.why); return; }
        delete box.dataset.open;
        say("");
        segment.set(answer.text);
      }).catch(function () { if (mine === serial) say("The rows can't be turned into text at the moment."); });
  }
  function say(text) {
    stays.hidden = !text;
    stays.textContent = text;
  }

  // ---- Drawing.
  var focus = null, part = ""; // what to go to after a change of structure, and which part of it
  function draw() {
    var at = focus, first = part || "select, button";
    focus = null;
    part = "";
    box.replaceChildren(group(root, null, null, 0));
    if (at) { var target = box.querySelector('[data-at="' + at + '"]'); if (target) { var f = target.querySelector(first); if (f) f.focus(); } }
  }
  function newRow(of) {
    if (of) {
      var fact = Object.keys(things[of])[0];
      return fresh({ field: fact }, of);
    }
    return fresh({ field: segment.fields.country ? "country" : Object.keys(segment.fields)[0] });
  }
  // fresh is a row about something with the first comparison of its type.
  function fresh(left, of) {
    var type = typeOf(left, of), row = { kind: "test", left: left };
    if (left.call && type === "yes/no" || type === "yes/no" && !left.call) { row.op = "holds"; return row; }
    if (type === "time") { row.op = ">"; row.values = [{ type: "ago", text: "90d" }]; return row; }
    row.op = plain[type] ? plain[type][0][0] : "==";
    row.values = [{ type: valueType(type), text: left.call ? "1" : "" }];
    return row;
  }
  function valueType(type) { return type === "number" ? "number" : type === "yes/no" ? "bool" : type === "duration" ? "duration" : "text"; }
  function key(path) { return "r" + path.join("-"); }

  function group(g, parent, of, depth, path) {
    path = path || [];
    g.items = g.items || [];
    var card = el("div", { className: "rows" + (depth ? " rows-in" : ""), role: "group", "aria-label": (g.not ? "none of: " : "") + (g.join === "or" ? "any of these" : "all of these") });
    card.dataset.at = key(path) + "g";
    var word = select([["and", "all of these hold"], ["or", "at least one holds"], ["not and", "not all of these hold"], ["not or", "none of these holds"]],
      (g.not ? "not " : "") + (g.join || "and"), "How the rows are joined", function (v) { g.not = v.indexOf("not ") === 0; g.join = v.replace("not ", ""); focus = key(path) + "g"; changed(true); });
    word.classList.add("join");
    var head = el("div", { className: "rows-head" }, word);
    if (parent) head.append(button("×", "Remove this group", function () { parent.splice(parent.indexOf(g), 1); focus = key(path.slice(0, -1)) + "g"; changed(true); }, "btn-ghost-secondary"));
    if (depth || g.items.length > 1 || g.not) card.append(head);
    g.items.forEach(function (item, i) {
      var p = path.concat(i);
      card.append(item.kind === "group" ? group(item, g.items, of, depth + 1, p) : row(item, g.items, of, depth, p));
    });
    var add = el("div", { className: "rows-add" },
      button("+ Row", of ? "Add a row about " + of : "Add a row", function () { g.items.push(newRow(of)); focus = key(path.concat(g.items.length - 1)); changed(true); }));
    if (depth < 6) add.append(button("+ Group", "Add a group of rows", function () {
      g.items.push({ kind: "group", join: g.join === "or" ? "and" : "or", items: [newRow(of), newRow(of)] });
      focus = key(path.concat(g.items.length - 1)) + "g";
      changed(true);
    }));
    if (!g.items.length && !depth) card.append(el("p", { className: "text-secondary mb-2", textContent: "No row: everybody in the house file." }));
    card.append(add);
    return card;
  }

  function what(left, of) {
    if (left.of) return "o:" + left.call + ":" + left.of;
    return left.call ? "c:" + left.call : "f:" + left.field;
  }
  function choices(left, of) {
    var out = [];
    if (of) Object.keys(things[of] || {}).forEach(function (f) { out.push(["f:" + f, asked[f] && of === "events" ? asked[f] : f.slice(1).replace(/_/g, " ")]); });
    else {
      (names.attributes || []).forEach(function (a) { out.push(["f:" + a.name, a.label || a.name, "Your attributes"]); });
      var own = {};
      (names.attributes || []).forEach(function (a) { own[a.name] = 1; });
      Object.keys(segment.fields).forEach(function (f) { if (!own[f]) out.push(["f:" + f, f.replace(/_/g, " "), "Facts of a customer"]); });
      Object.keys(calls).forEach(function (c) { if (segment.functions[c]) out.push(["c:" + c, calls[c].label, /^in_/.test(c) ? "Segments and lists" : /^(nth|bucket|birth)/.test(c) ? "More" : "What they did"]); });
      Object.keys(things).forEach(function (t) {
        out.push(["o:count:" + t, "number of " + t, "Counted"]);
        if (things[t][".amount"]) out.push(["o:sum:" + t, "sum of " + t, "Counted"]);
        out.push(["o:any:" + t, "at least one of " + t, "Counted"]);
        out.push(["o:none:" + t, "none of " + t, "Counted"]);
      });
    }
    var now = what(left, of);
    if (!out.some(function (o) { return o[0] === now; })) out.push([now, left.of ? left.call + " of " + left.of : left.call || left.field]);
    return out;
  }
  function chosen(v, of) {
    var part = v.split(":");
    if (part[0] === "f") {
      var fact = { field: part.slice(1).join(":") };
      if (of === "events" && asked[fact.field]) fact.args = [{ type: "text", text: "" }];
      return fresh(fact, of);
    }
    if (part[0] === "c") {
      var left = { call: part[1], args: [] };
      (calls[part[1]] ? calls[part[1]].args : []).forEach(function (a) { if (a.must) left.args.push({ type: a.type || "text", text: a.type ? "10" : "" }); });
      return fresh(left);
    }
    var over = { call: part[1], of: part[2] };
    if (part[1] === "sum") over.measure = ".amount";
    if (part[1] === "any" || part[1] === "none") over.where = { kind: "group", join: "and", items: [newRow(part[2])] };
    return fresh(over);
  }

  function row(t, items, of, depth, path) {
    var left = t.left, type = typeOf(left, of), line = el("div", { className: "row-line" });
    line.dataset.at = key(path);
    var not = el("input", { type: "checkbox", className: "form-check-input", checked: !!t.not, on: { change: function () { t.not = not.checked; changed(false); } } });
    line.append(el("label", { className: "not-box", title: "Turn this row round" }, not, "not"));
    line.append(select(choices(left, of), what(left, of), "What is asked", function (v) {
      var next = chosen(v, of);
      next.not = t.not;
      items[path[path.length - 1]] = next;
      focus = key(path);
      changed(true);
    }));
    if (left.call && !left.of) args(line, left);
    if (left.field && left.args) line.append(input(left.args[0], "Name of the property", "such as page"));
    if (left.call === "sum") line.append(select(Object.keys(things[left.of] || {}).filter(function (f) { return things[left.of][f] === "number"; }).map(function (f) { return [f, f.slice(1)]; }),
      left.measure, "Added up", function (v) { left.measure = v; changed(false); }));
    if (!(t.op === "holds" && left.call)) operator(line, t, type, path);
    if (t.values && t.op !== "holds" && t.op !== "known") values(line, t, type, path, of === "events" && left.field === ".name" ? "events" : "");
    line.append(button("×", "Remove this row", function () { items.splice(path[path.length - 1], 1); focus = key(path.slice(0, -1)) + "g"; changed(true); }, "btn-ghost-secondary ms-auto"));
    if (!left.of) return line;
    var whole = el("div", { className: "row-over" }, line);
    left.where = left.where || { kind: "group", join: "and", items: [] };
    whole.append(el("div", { className: "row-where" }, el("span", { className: "text-secondary small", textContent: left.where.items && left.where.items.length ? "that meet" : "all of them; narrow them down by" }),
      group(left.where, null, left.of, depth + 1, path.concat("w"))));
    return whole;
  }

  function operator(line, t, type, path) {
    var options, now;
    if (type === "time") {
      options = times.map(function (o) { return [o[0] + " " + o[1], o[2]]; });
      now = t.op === "known" ? "known" : t.op + " " + (t.values[0] || {}).type;
    } else {
      options = (plain[type] || plain.text).map(function (o) { return [o[0], o[1]]; });
      now = t.op;
    }
    if (!t.left.call) options = options.concat([["known", "is known"]]);
    if (!options.some(function (o) { return o[0] === now; })) options.push([now, now]);
    line.append(select(options, now, "Comparison", function (v) {
      var words = v.split(" "), before = shape(t);
      t.op = words[0];
      if (v === "known" || v === "holds") delete t.values;
      else if (words[1]) {
        var same = t.values && t.values[0] && t.values[0].type === words[1];
        t.values = same ? t.values : [{ type: words[1], text: words[1] === "ago" ? "90d" : "" }];
        if (words[1] === "now") t.values = [{ type: "now" }];
      } else t.values = t.values && t.values.length ? (v === "in" ? t.values : t.values.slice(0, 1)) : [{ type: valueType(type), text: type === "yes/no" ? "true" : "" }];
      var anew = shape(t) !== before; // drawn only where it must be: letters typed on a list go on choosing
      if (anew) { focus = key(path); part = "[aria-label=Comparison]"; }
      changed(anew);
    }));
  }
  function shape(t) { return (t.op === "in") + (t.values || []).map(function (v) { return v.type; }).join(); }

  function input(v, label, hint, list) {
    var date = v.type === "date" && (v.text === "" || /^\d{4}-\d\d-\d\d$/.test(v.text));
    if (v.type === "bool") return select([["true", "yes"], ["false", "no"]], v.text, label, function (x) { v.text = x; changed(false); });
    if (v.type === "now") return null;
    var i = el("input", { className: "form-control form-control-sm", type: date ? "date" : "text", value: v.text || "", placeholder: hint || "", "aria-label": label, autocomplete: "off",
      on: { input: function () { v.text = i.value; changed(false); } } });
    if (v.type === "number") i.inputMode = "decimal";
    if (v.type === "number" || v.type === "ago" || v.type === "duration") i.classList.add("short");
    if (v.type === "ago" || v.type === "duration") { i.title = "Such as 90d, 6mo, 1y, 12h"; list = "durations"; }
    if (list) i.setAttribute("list", "list-" + list);
    return i;
  }
  function values(line, t, type, path, list) {
    t.values.forEach(function (v, n) {
      var i = input(v, "Value" + (t.values.length > 1 ? " " + (n + 1) : ""), type === "number" ? "a number" : v.type === "ago" ? "90d" : "", list);
      if (!i) return;
      if (t.op !== "in") { line.append(i); return; }
      var away = t.values.length > 1 ? button("×", "Remove value " + (n + 1), function () { without(n); }, "btn-ghost-secondary") : null;
      line.append(el("span", { className: "value" }, i, away));
      i.addEventListener("keydown", function (e) { // Enter adds a value, Backspace in an empty one takes it away
        if (e.key === "Enter") { e.preventDefault(); more(); }
        if (e.key === "Backspace" && !i.value && away) { e.preventDefault(); without(n); }
      });
      i.addEventListener("keypress", function (e) { if (e.key === "Enter") e.preventDefault(); }); // of the Enter that added this one: it saves nothing
    });
    function to(n) {
      var at = box.querySelector('[data-at="' + key(path) + '"]'), all = at ? at.querySelectorAll(".value input") : [];
      if (all[n]) all[n].focus();
    }
    function more() {
      t.values.push({ type: valueType(type), text: "" });
      changed(true);
      to(t.values.length - 1);
    }
    function without(n) {
      t.values.splice(n, 1);
      changed(true);
      to(Math.max(n - 1, 0));
    }
    if (t.op === "in") line.append(button("+", "Add a value", more));
  }
  // args are the values of a function; those at the end may be left out.
  function args(line, left) {
    var known = calls[left.call] ? calls[left.call].args : [], given = left.args = left.args || [];
    for (var n = 0; n < Math.max(known.length, given.length); n++) (function (n) {
      var spec = known[n] || { label: "value " + (n + 1) }, v = { type: (given[n] || {}).type || spec.type || "text", text: (given[n] || {}).text || "" };
      var i = input(v, spec.label, spec.hint || spec.label, spec.list);
      if (!i) return;
      i.addEventListener("input", function () {
        for (var k = given.length; k <= n; k++) given.push({ type: (known[k] || {}).type || "text", text: "" });
        given[n].text = v.text;
        given[n].type = v.type;
        while (given.length && given[given.length - 1].text === "" && given[given.length - 1].type === "text" && !(known[given.length - 1] || {}).must) given.pop();
        changed(false);
      });
      if (known[n] && known[n] === within) i.classList.add("short");
      line.append(i);
    })(n);
  }

  // ---- The two views.
  function show(which) {
    view = which;
    box.hidden = which !== "rows";
    textView.hidden = which === "rows";
    views.querySelectorAll("button").forEach(function (b) {
      b.setAttribute("aria-pressed", b.dataset.view === which);
      b.classList.toggle("active", b.dataset.view === which);
    });
    try { localStorage.setItem("segment-view", which); } catch (e) { }
    if (which === "text") segment.draw();
  }
  function toRows(asked) {
    var text = area.value;
    return fetch("/segments/rows", { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams({ expression: text }) })
      .then(function (r) { return r.json(); }).then(function (answer) {
        if (text !== area.value) return;
        if (answer.why) {
          show("text");
          if (asked) say("This stays text: " + answer.why + ".");
          return;
        }
        say("");
        root = answer.root;
        draw();
        show("rows");
      }).catch(function () { if (asked) say("The rows can't be had at the moment."); });
  }
  views.addEventListener("click", function (e) {
    var b = e.target.closest("[data-view]");
    if (!b || b.dataset.view === view) return;
    if (b.dataset.view === "rows") { toRows(true); return; }
    if (box.dataset.open) { say("A row is not complete, so the text is what the rows said before: " + stays.textContent); delete box.dataset.open; } else say("");
    show("text");
    area.focus();
  });
  // A word of the reference goes into the text, so the text is shown.
  document.addEventListener("click", function (e) { if (view === "rows" && e.target.closest("[data-insert]")) { say(""); show("text"); } }, true);
  area.addEventListener("input", function () { if (view === "text") say(""); });

  names.channels = ["email", "sms", "post", "calls"];
  ["campaigns", "segments", "lists", "channels", "events"].forEach(function (n) {
    box.after(el("datalist", { id: "list-" + n }, ...(names[n] || []).map(function (v) { return el("option", { value: v }); })));
  });
  box.after(el("datalist", { id: "list-durations" }, ...["7d", "30d", "90d", "180d", "1y"].map(function (v) { return el("option", { value: v }); })));
  views.hidden = false;
  var liked = "rows";
  try { liked = localStorage.getItem("segment-view") || "rows"; } catch (e) { }
  if (liked === "rows" && !area.classList.contains("is-invalid")) toRows(false); else show("text");
})();
