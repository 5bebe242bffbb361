// The text of a segment: colours, completion from the reference, errors where they are, and the size while typing. Without this
// script the plain text field and the button beside it do.
(function () {
  "use strict";
  var area = document.getElementById("expression"), verdict = document.getElementById("verdict");
  if (!area || !document.getElementById("names")) return;
  var names = JSON.parse(document.getElementById("names").textContent);
  var segment = window.segment = { names: names, area: area };

  // ---- Words that may stand in an expression.
  var reference = names.reference || [];
  var functions = {}, fields = {}, facts = {};
  reference.forEach(function (e) {
    if (e.kind === "function") functions[e.name] = e;
    else if (e.name.charAt(0) === ".") facts[e.name] = e;
    else fields[e.name] = e;
  });
  (names.attributes || []).forEach(function (a) { fields[a.name] = { name: a.name, description: a.label, type: a.type }; });
  segment.functions = functions; segment.fields = fields;
  var words = { and: 1, or: 1, not: 1, in: 1, contains: 1, startsWith: 1, endsWith: 1, matches: 1, "true": 1, "false": 1 };
  var collections = { household: 1 };
  reference.forEach(function (e) { var m = /^any\((\w+),/.exec(e.example); if (m && e.name.charAt(0) === ".") collections[m[1]] = 1; });

  // ---- Colours: the same text drawn beneath a field whose own letters are clear.
  var under = document.createElement("pre");
  under.className = "form-control expr under";
  under.setAttribute("aria-hidden", "true");
  area.before(under);
  area.classList.add("over");
  var token = /("(?:\\[^]|[^"\\])*"?|'(?:\\[^]|[^'\\])*'?|`[^`]*`?)|(\/\/[^\n]*|\/\*[^]*?(?:\*\/|$))|(\d[\d_.]*)|(\.?[A-Za-z_]\w*)|([^])/g;
  var marks = [];
  function draw() {
    var text = area.value, html = document.createDocumentFragment(), at = 0, open = null;
    var starts = {}, ends = {};
    marks.forEach(function (m) { starts[m.from] = true; ends[m.to] = true; });
    text.replace(token, function (all, string, note, number, word) {
      var cls = string ? "s" : note ? "c" : number ? "n" : !word ? "" :
        words[word] ? "k" : functions[word] ? "f" : fields[word] || facts[word] || collections[word] ? "a" : "u";
      var span = document.createElement("span");
      if (cls) span.className = cls;
      for (var i = 0, from = 0; i <= all.length; i++) { // a mark may begin within
        if ((starts[at + i] || ends[at + i] || i === all.length) && i > from) {
          var piece = document.createTextNode(all.slice(from, i));
          if (marks.some(function (m) { return at + from >= m.from && at + from < m.to; })) {
            open = document.createElement("u"); open.className = "wrong"; open.append(piece); span.append(open);
          } else span.append(piece);
          from = i;
        }
      }
      html.append(span);
      at += all.length;
      return all;
    });
    html.append("\n");
    under.replaceChildren(html);
    under.scrollTop = area.scrollTop;
    area.style.height = "auto";
    area.style.height = Math.max(under.scrollHeight, 120) + 2 + "px";
  }
  area.addEventListener("scroll", function () { under.scrollTop = area.scrollTop; });

  // ---- The size: an estimate at once, the exact count after it; both end with the next keystroke.
  var asking = null, wait = 0;
  function ask(mode) {
    if (asking) asking.abort();
    var mine = asking = new AbortController();
    verdict.setAttribute("aria-busy", "true");
    return fetch("/segments/check", { method: "POST", signal: mine.signal, headers: { "HX-Request": "true" },
      body: new URLSearchParams({ expression: area.value, mode: mode }) }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }).then(function (html) {
      if (mine !== asking) return;
      verdict.removeAttribute("aria-busy");
      var old = document.getElementById("size"), said = new DOMParser().parseFromString(html, "text/html");
      if (mode === "exact" && old && !said.getElementById("size")) { // the estimate is better than nothing
        old.querySelector(".counting").textContent = said.body.textContent.trim();
        return;
      }
      verdict.innerHTML = html;
      var lines = area.value.split("\n");
      marks = Array.from(verdict.querySelectorAll("[data-line]")).map(function (el) {
        var line = +el.dataset.line, column = +el.dataset.column, from = column - 1;
        if (!line || line > lines.length) return { from: -1, to: -1 };
        // Columns count characters, this counts halves of them.
        from = Array.from(lines[line - 1]).slice(0, column - 1).join("").length;
        for (var i = 0; i < line - 1; i++) from += lines[i].length + 1;
        return { from: Math.min(from, Math.max(area.value.length - 1, 0)), to: from + Math.max(el.dataset.mark === "␣" ? 1 : el.dataset.mark.length, 1) };
      });
      draw();
      area.classList.toggle("is-invalid", marks.length > 0);
      var size = document.getElementById("size");
      if (mode === "estimate" && size && size.dataset.exact === "false") ask("exact").catch(function (e) { if (e.name !== "AbortError") stopped(); });
    });
  }
  document.addEventListener("click", function (e) {
    if (e.target.closest("[data-stop-count]")) { asking.abort(); stopped(); }
    var stop = e.target.closest("[data-stop]");
    if (stop) htmx.trigger(stop.previousElementSibling, "htmx:abort");
  });
  function stopped() {
    verdict.removeAttribute("aria-busy");
    var counting = verdict.querySelector(".counting");
    if (counting) counting.remove();
    verdict.tabIndex = -1;
    verdict.focus();
  }
  // ---- What was asked about the expression greys when the expression changes.
  var shown = ["sample", "profile", "overlap"].map(function (id) { return document.getElementById(id); }).filter(Boolean), note = document.getElementById("stale");
  function age() {
    var old = shown.filter(function (part) { return part.classList.toggle("stale", part.childElementCount > 0 && "of" in part.dataset && part.dataset.of !== area.value); });
    if (note) note.hidden = !old.length;
  }
  shown.forEach(function (part) { if (part.childElementCount) part.dataset.of = area.value; });
  document.addEventListener("htmx:configRequest", function (e) { e.detail.elt.dataset.asked = area.value; });
  document.addEventListener("htmx:afterSwap", function (e) {
    if (shown.indexOf(e.detail.target) < 0) return;
    e.detail.target.dataset.of = e.detail.requestConfig.elt.dataset.asked;
    age();
  });

  // ---- The reference, narrowed down to a word.
  var find = document.getElementById("find");
  if (find) {
    find.hidden = document.getElementById("put").hidden = false;
    find.addEventListener("input", function () {
      var word = find.value.trim().toLowerCase();
      find.parentElement.querySelectorAll("details").forEach(function (group, i) {
        var any = false;
        group.querySelectorAll("dt").forEach(function (name) {
          var what = name.nextElementSibling, hit = (name.textContent + what.textContent).toLowerCase().indexOf(word) >= 0;
          name.hidden = what.hidden = !hit;
          any = any || hit;
        });
        group.hidden = !any;
        group.open = word ? any : i === 0;
      });
    });
    find.addEventListener("keydown", function (e) { if (e.key === "Enter") e.preventDefault(); });
  }

  segment.check = function (delay) {
    clearTimeout(wait);
    age();
    if (asking) asking.abort();
    wait = setTimeout(function () {
      ask("estimate").catch(function (e) {
        if (e.name !== "AbortError") verdict.textContent = "The size can't be had at the moment. Type on, and it is asked for again.";
      });
    }, delay);
  };
  segment.draw = draw;
  segment.set = function (text) {
    if (text === area.value) return;
    area.value = text;
    marks = [];
    draw();
    segment.check(150);
  };

  // ---- Completion.
  var list = document.createElement("ul");
  list.className = "dropdown-menu complete";
  list.id = "complete";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  area.after(list);
  area.setAttribute("role", "combobox");
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", "complete");
  area.setAttribute("aria-expanded", "false");
  var offers = [], chosen = 0, from = 0;
  function candidates(force) {
    var before = area.value.slice(0, area.selectionStart), m;
    if ((m = /\b(in_segment|in_list|did|clicked|opened|responded|contacted|received)\(\s*"([^"\n]*)$/.exec(before))) {
      from = before.length - m[2].length;
      var of = m[1] === "in_segment" ? names.segments : m[1] === "in_list" ? names.lists : m[1] === "did" ? names.events : names.campaigns;
      return match((of || []).map(function (n) { return { name: n, insert: n.replace(/["\\]/g, "\\$&") + '")', description: "" }; }), m[2], true);
    }
    if ((before.match(/"/g) || []).length % 2) return []; // within quotes
    if (!(m = /(\.?[A-Za-z_]\w*|\.)$/.exec(before)) && !force) return [];
    var word = m ? m[1] : "";
    from = before.length - word.length;
    var all = word.charAt(0) === "." ? Object.values(facts) : Object.values(fields).concat(Object.values(functions),
      Object.keys(collections).concat(Object.keys(words)).map(function (n) { return { name: n, description: "" }; }));
    return match(all, word, force);
  }
  function match(all, word, force) {
    var low = word.toLowerCase();
    if (!low && !force) return [];
    var first = all.filter(function (e) { return e.name.toLowerCase().indexOf(low) === 0; });
    var rest = all.filter(function (e) { return low.length > 1 && e.name.toLowerCase().indexOf(low) > 0; });
    var out = first.concat(rest).slice(0, 8);
    return out.some(function (e) { return e.name === word; }) && !force ? [] : out; // a whole word wants no help, and Enter its line
  }
  function close() { list.hidden = true; list.classList.remove("show"); area.setAttribute("aria-expanded", "false"); area.removeAttribute("aria-activedescendant"); }
  function offer(force) {
    offers = candidates(force);
    chosen = 0;
    if (!offers.length) return close();
    list.replaceChildren.apply(list, offers.map(function (e, i) {
      var li = document.createElement("li");
      li.id = "offer-" + i;
      li.setAttribute("role", "option");
      li.className = "dropdown-item";
      var name = document.createElement("code");
      name.textContent = e.signature || e.name;
      var what = document.createElement("span");
      what.className = "text-secondary small";
      what.textContent = e.description || e.type || "";
      li.append(name, what);
      li.addEventListener("mousedown", function (ev) { ev.preventDefault(); take(i); });
      return li;
    }));
    // Where the word begins, by a copy of the text up to it.
    var probe = under.cloneNode(false), end = document.createElement("span");
    probe.textContent = area.value.slice(0, from);
    end.textContent = "|";
    probe.append(end);
    probe.style.visibility = "hidden";
    under.after(probe);
    list.style.left = Math.min(end.offsetLeft, Math.max(area.clientWidth - 280, 0)) + "px";
    list.style.top = end.offsetTop + end.offsetHeight + 4 - area.scrollTop + "px";
    probe.remove();
    list.hidden = false;
    list.classList.add("show");
    area.setAttribute("aria-expanded", "true");
    pick(0);
  }
  function pick(i) {
    chosen = (i + offers.length) % offers.length;
    Array.from(list.children).forEach(function (li, j) { li.classList.toggle("active", j === chosen); li.setAttribute("aria-selected", j === chosen); });
    area.setAttribute("aria-activedescendant", "offer-" + chosen);
  }
  function take(i) {
    var e = offers[i], text = e.insert || e.name, inside = 0;
    if (!e.insert && functions[e.name]) {
      var bare = /\(\)$/.test(e.signature || "");
      text += "()";
      inside = bare ? 0 : 1;
    }
    if (facts[e.name] === e && /\(/.test(e.signature || "")) { // a property, by its name in quotes
      text += '("")';
      inside = 2;
    }
    var end = area.selectionStart;
    if (e.insert && area.value.slice(end, end + 2) === '")') end += 2;
    area.setRangeText(text, from, end, "end");
    area.selectionStart = area.selectionEnd = area.selectionEnd - inside;
    close();
    changed();
  }
  area.addEventListener("keydown", function (e) {
    if (e.key === " " && e.ctrlKey) { e.preventDefault(); offer(true); return; }
    if (list.hidden) return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); pick(chosen + (e.key === "ArrowDown" ? 1 : -1)); }
    else if (e.key === "Enter" || e.key === "Tab") { e.preventDefault(); take(chosen); }
    else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); close(); }
  });
  area.addEventListener("blur", close);
  area.addEventListener("click", close);

  function changed() { marks = []; draw(); segment.check(120); }
  area.addEventListener("input", function (e) {
    changed();
    if (e.inputType && e.inputType.indexOf("insert") === 0 && e.inputType !== "insertFromPaste" && e.inputType !== "insertLineBreak") offer(false);
    else close();
  });
  draw();
  segment.check(0);
})();
