// Runs before the page is painted: without a chosen theme, follow the system's.
(function () {
  var html = document.documentElement;
  if (!html.dataset.bsTheme) {
    html.dataset.bsTheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
})();
