// The search: every word has to be found; a hit in the title goes before one in the text. The index
// is a script (search.js), so that it also opens from a disk.
(function () {
  "use strict";
  var input = document.getElementById("search");
  var results = document.getElementById("results");
  var chosen = -1;
  var MOST = 12;

  function fold(text) {
    return text.toLowerCase().replace(/[_\s-]+/g, " ");
  }

  var index = window.USHER_INDEX.map(function (row) {
    return { title: row[0], where: row[1], summary: row[2], url: row[3],
      name: fold(row[0]), all: fold(row.join(" ")) };
  });

  function score(entry, query, words) {
    var points = 0;
    for (var i = 0; i < words.length; i++) {
      if (entry.all.indexOf(words[i]) < 0) return 0;
      var at = entry.name.indexOf(words[i]);
      points += at === 0 ? 6 : at > 0 && entry.name[at - 1] === " " ? 4 : at > 0 ? 3 : 1;
    }
    if (entry.name === query) points += 20;
    else if (entry.name.indexOf(query) === 0) points += 8;
    return points;
  }

  function find(text) {
    var query = fold(text).trim();
    var words = query.split(" ").filter(Boolean);
    if (!words.length) return [];
    return index.map(function (entry, order) {
      return { entry: entry, order: order, points: score(entry, query, words) };
    }).filter(function (hit) { return hit.points > 0; }).sort(function (a, b) {
      return b.points - a.points || a.order - b.order;
    }).slice(0, MOST).map(function (hit) { return hit.entry; });
  }

  function line(tag, text) {
    var node = document.createElement(tag);
    node.textContent = text;
    return node;
  }

  function show() {
    var found = find(input.value);
    results.textContent = "";
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    found.forEach(function (entry, number) {
      var item = document.createElement("li");
      var link = document.createElement("a");
      item.setAttribute("role", "presentation");
      link.setAttribute("role", "option");
      link.id = "result-" + number;
      link.href = entry.url;
      link.appendChild(line("b", entry.title));
      link.appendChild(line("i", entry.where));
      link.appendChild(line("span", entry.summary));
      item.appendChild(link);
      results.appendChild(item);
    });
    if (!found.length && input.value.trim()) {
      results.appendChild(line("li", "Nothing found")).className = "nothing";
    }
    results.hidden = !results.firstChild;
    input.setAttribute("aria-expanded", String(!results.hidden));
  }

  function hide() {
    results.hidden = true;
    input.setAttribute("aria-expanded", "false");
  }

  function choose(step) {
    var links = results.querySelectorAll("a");
    if (!links.length) return;
    if (chosen >= 0) links[chosen].classList.remove("chosen");
    chosen = (chosen + step + links.length + (chosen < 0 && step < 0 ? 1 : 0)) % links.length;
    links[chosen].classList.add("chosen");
    input.setAttribute("aria-activedescendant", links[chosen].id);
    links[chosen].scrollIntoView({ block: "nearest" });
  }

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      choose(event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
    } else if (event.key === "Enter") {
      var links = results.querySelectorAll("a");
      if (links.length) links[Math.max(chosen, 0)].click();
    } else if (event.key === "Escape") {
      hide();
      input.blur();
    }
  });
  results.addEventListener("click", function () {
    input.value = "";
    hide();
  });
  document.addEventListener("click", function (event) {
    if (!event.target.closest(".search")) hide();
  });
  document.querySelector(".search").addEventListener("focusout", function (event) {
    if (event.relatedTarget && !event.relatedTarget.closest(".search")) hide();
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== input && !event.metaKey && !event.ctrlKey) {
      input.focus();
      event.preventDefault();
    }
  });
  // The menu of a phone closes when it has led somewhere.
  document.querySelector("nav").addEventListener("click", function (event) {
    if (event.target.closest("a")) document.getElementById("menu").checked = false;
  });
})();
