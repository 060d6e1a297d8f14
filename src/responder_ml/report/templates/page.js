// Tables are sorted by a click on a heading, and long ones searched. Without this script the page shows everything as well.
(function () {
  "use strict";
  var SEARCHED_FROM = 12, SORTED_FROM = 3;

  function value(cell) {
    var data = cell && cell.querySelector("data");
    var number = data ? parseFloat(data.value) : parseFloat(cell ? cell.textContent.replace("−", "-") : "");
    return isNaN(number) ? (cell ? cell.textContent.trim().toLowerCase() : "") : number;
  }

  function compare(first, second) {
    if (typeof first === typeof second) { return first < second ? -1 : first > second ? 1 : 0; }
    return typeof first === "number" ? -1 : 1;
  }

  function sortBy(table, heading, column) {
    var down = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = table.tBodies[0];
    Array.from(body.rows)
      .map(function (row, index) { return { row: row, value: value(row.cells[column]), index: index }; })
      .sort(function (a, b) { return (down ? -1 : 1) * compare(a.value, b.value) || a.index - b.index; })
      .forEach(function (entry) { body.appendChild(entry.row); });
  }

  function makeSortable(table) {
    var headings = table.tHead.rows[0].cells;
    Array.from(headings).forEach(function (heading, column) {
      if (heading.tagName !== "TH") { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      button.append.apply(button, Array.from(heading.childNodes));
      heading.appendChild(button);
      button.addEventListener("click", function () { sortBy(table, heading, column); });
    });
  }

  function makeSearchable(table) {
    var field = document.createElement("input"), label = document.createElement("label");
    field.type = "search";
    label.className = "search";
    label.append("Search ", field);
    field.addEventListener("input", function () {
      var words = field.value.trim().toLowerCase();
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        row.hidden = words !== "" && row.textContent.toLowerCase().indexOf(words) < 0;
      });
    });
    table.closest(".wide").before(label);
  }

  document.querySelectorAll(".wide").forEach(function (frame) {
    var table = frame.querySelector("table");
    if (!table || !table.tHead || table.matches(".map, .fixed")) { return; }
    var spans = table.querySelector("tbody [rowspan], tbody [colspan]"), rows = table.tBodies[0].rows.length;
    if (rows >= SORTED_FROM && !spans) { makeSortable(table); }
    if (rows >= SEARCHED_FROM) { makeSearchable(table); }
  });

  // A table that goes on beyond its frame can be scrolled by keyboard; one that fits is no stop of the tabulator.
  function frames() {
    document.querySelectorAll(".wide, pre").forEach(function (frame) {
      if (frame.scrollWidth > frame.clientWidth) { frame.tabIndex = 0; } else { frame.removeAttribute("tabindex"); }
    });
  }
  addEventListener("resize", frames);
  document.addEventListener("toggle", frames, true);
  frames();

  // Paper shows what is folded, but for an annex, such as checklists: it is many pages of its own.
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details:not([open]):not(.annex)"));
    opened.forEach(function (details) { details.open = true; });
  });
  addEventListener("afterprint", function () { opened.forEach(function (details) { details.open = false; }); });
})();
