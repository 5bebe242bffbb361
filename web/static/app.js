// The few things that pages need beyond htmx and Tabler. Everything hangs on data attributes, so that the content
// policy can forbid inline scripts.
(function () {
  "use strict";
  var editing = function (el) { return el && (el.matches("input, textarea, select") || el.isContentEditable); };

  document.addEventListener("click", function (e) {
    var el = e.target.closest("[data-theme-toggle]");
    if (el) {
      var dark = document.documentElement.dataset.bsTheme !== "dark";
      document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
      document.cookie = "theme=" + (dark ? "dark" : "light") + ";path=/;max-age=31536000;samesite=lax";
      return;
    }
    el = e.target.closest("[data-insert]");
    if (el) { // put a word of the reference where the cursor stands
      var area = document.querySelector(el.dataset.target || "textarea");
      area.focus();
      area.setRangeText(el.dataset.insert, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    el = e.target.closest("[data-remove]");
    if (el) { var row = el.closest(el.dataset.remove); if (row) row.remove(); return; }
    el = e.target.closest("[data-move]");
    if (el) {
      var step = el.closest(".step-row"), other = el.dataset.move === "up" ? step.previousElementSibling : step.nextElementSibling;
      if (other) { if (el.dataset.move === "up") other.before(step); else other.after(step); el.focus(); }
      return;
    }
    el = e.target.closest("[data-copy]");
    if (el && navigator.clipboard) {
      navigator.clipboard.writeText(document.querySelector(el.dataset.copy).textContent.trim());
      el.textContent = "Copied";
      return;
    }
    el = e.target.closest("tr[data-href]");
    if (el && !e.target.closest("a, button, input, label")) location.href = el.dataset.href;
  });

  document.addEventListener("submit", function (e) {
    var ask = (e.submitter && e.submitter.dataset.confirm) || e.target.dataset.confirm;
    if (ask && !confirm(ask)) { e.preventDefault(); e.stopPropagation(); return; }
    // A second click must not send twice; the button comes back when the page is shown again.
    var b = e.submitter;
    if (b && !b.getAttribute("formtarget") && !e.target.target && !("download" in e.target.dataset)) setTimeout(function () { b.disabled = true; }, 0);
  }, true);
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("button:disabled:not([data-off])").forEach(function (b) { b.disabled = false; });
  });

  // A preview is there from the start.
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-auto]").forEach(function (b) { b.form.requestSubmit(b); });
  });

  document.addEventListener("change", function (e) {
    if (e.target.matches("[data-submit]")) e.target.form.requestSubmit();
  });

  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape" && editing(document.activeElement)) { document.activeElement.blur(); return; }
    // Letters do nothing in a radio button or check box, so that they may be keys of the page; arrows and space do.
    var at = document.activeElement, ticking = at && at.matches("input[type=radio], input[type=checkbox]");
    if (ticking ? e.key === " " || e.key.indexOf("Arrow") === 0 : editing(at)) return;
    if (e.key === "/") {
      var search = document.querySelector("[data-search]");
      if (search) { e.preventDefault(); search.focus(); }
      return;
    }
    var hit = document.querySelector('[data-key~="' + CSS.escape(e.key.toLowerCase()) + '"]');
    if (hit) { e.preventDefault(); hit.click(); }
  });

  var say = function (text) {
    var box = document.getElementById("messages");
    if (!box) return;
    var div = document.createElement("div");
    div.className = "alert alert-danger";
    div.textContent = text;
    box.replaceChildren(div);
    setTimeout(function () { div.remove(); }, 8000);
  };
  document.addEventListener("htmx:responseError", function (e) {
    var text = e.detail.xhr.getResponseHeader("X-Message");
    say(text ? decodeURIComponent(text) : "That did not work. Reload the page and try again.");
  });
  document.addEventListener("htmx:sendError", function () { say("The server can't be reached. Check the connection; the page tries again by itself."); });
})();
