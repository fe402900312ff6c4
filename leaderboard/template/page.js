// Sorts and filters tables, folds columns, draws plots. What is chosen stands in the address.
"use strict";

(() => {
  const root = document.documentElement;
  const tables = [...document.querySelectorAll("table.sortable")];

  // ---- the address -------------------------------------------------------------------------------------

  const read = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  function write(change, push) {
    const state = read();
    change(state);
    const hash = state.toString();
    const address = location.pathname + location.search + (hash ? "#" + hash : "");
    history[push ? "pushState" : "replaceState"](null, "", address);
  }

  const set = (key, value) => write((state) => (value ? state.set(key, value) : state.delete(key)));

  // ---- sorting -----------------------------------------------------------------------------------------

  const collator = new Intl.Collator("en", { numeric: true });
  const sorters = new Map(tables.map((table) => [table.id, sorter(table)]));

  function sorter(table) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.querySelectorAll(".heads th")];
    const keys = [];
    for (const [place, head] of heads.entries()) {
      const slug = head.textContent.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");
      keys.push(keys.includes(slug) ? `${slug}-${place + 1}` : slug);
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const other = now === "ascending" ? "descending" : "ascending";
        sort(place, now ? other : head.dataset.first, true);
      });
      head.append(button);
    }
    const initial = heads.findIndex((head) => head.hasAttribute("aria-sort"));

    function sort(place, direction, chosen) {
      const sign = direction === "ascending" ? 1 : -1;
      const numeric = heads[place].classList.contains("numbers");
      const rows = original.map((row, index) => {
        const order = row.cells[place].dataset.order;
        return { row, index, value: order === undefined ? null : numeric ? Number(order) : order };
      });
      rows.sort((a, b) => {
        if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.index - b.index;
        const difference = numeric ? a.value - b.value : collator.compare(a.value, b.value);
        return sign * difference || a.index - b.index;
      });
      body.append(...rows.map(({ row }) => row));
      heads.forEach((head, index) => {
        if (index === place) head.setAttribute("aria-sort", direction);
        else head.removeAttribute("aria-sort");
      });
      if (chosen) remember(place, direction);
    }

    function remember(place, direction) {
      write((state) => {
        const others = state.getAll("sort").filter((entry) => !entry.startsWith(table.id + ":"));
        state.delete("sort");
        const isInitial = place === initial && direction === "descending";
        const own = isInitial ? [] : [`${table.id}:${keys[place]}:${direction}`];
        for (const entry of [...others, ...own]) state.append("sort", entry);
      });
    }

    return {
      apply(entry) {
        const [key, direction] = entry ? entry.split(":").slice(1) : [];
        const place = keys.indexOf(key);
        if (place >= 0 && ["ascending", "descending"].includes(direction)) sort(place, direction, false);
        else if (initial >= 0 && heads[initial].getAttribute("aria-sort") !== "descending") sort(initial, "descending", false);
      },
    };
  }

  // ---- filtering ---------------------------------------------------------------------------------------

  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const words = (text) => text.toLowerCase().replace(/\s+(?=%|min\b)/g, "").split(/\s+/).filter(Boolean);
  const panels = [...document.querySelectorAll(".panel")].map((panel) => {
    const about = words(panel.querySelector("h3").textContent);
    const rows = [...panel.querySelectorAll(".sortable tbody tr")].map((row) => {
      const named = [...row.querySelectorAll("th, .words, .budget")].flatMap((cell) => words(cell.textContent));
      const tokens = [...about, ...named];
      return { row, tokens: [...tokens, ...tokens.flatMap((token) => token.split(/[-_.:]+/))] };
    });
    return { panel, rows };
  });

  function applyFilter() {
    const terms = words(filter.value);
    let shown = 0;
    let all = 0;
    for (const { panel, rows } of panels) {
      let here = 0;
      for (const { row, tokens } of rows) {
        const keeps = terms.every((term) => tokens.some((token) => token.startsWith(term)));
        row.hidden = !keeps;
        here += keeps;
      }
      panel.hidden = rows.length > 0 && !here;
      shown += here;
      all += rows.length;
    }
    for (const section of document.querySelectorAll(".setting")) {
      section.hidden = !section.querySelector(".panel:not([hidden])");
    }
    found.textContent = terms.length ? `${shown} of ${all} rows` : "";
  }

  filter.addEventListener("input", () => {
    applyFilter();
    set("q", filter.value.trim());
  });

  // ---- folding groups of columns -----------------------------------------------------------------------

  const folds = document.getElementById("folds");
  const groups = new Map();
  for (const head of document.querySelectorAll(".groups th[data-fold]")) {
    groups.set(head.dataset.fold, head.textContent.trim());
  }
  for (const [number, title] of groups) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.dataset.fold = number;
    label.append(box, title);
    folds.append(label);
    box.addEventListener("change", () => {
      applyFolds();
      set("without", boxes().filter((other) => !other.checked).map((other) => other.dataset.fold).join("."));
    });
  }
  const boxes = () => [...folds.querySelectorAll("input")];

  function applyFolds() {
    for (const box of boxes()) document.body.classList.toggle(`fold-${box.dataset.fold}`, !box.checked);
  }

  // ---- theme -------------------------------------------------------------------------------------------

  const theme = document.getElementById("theme");
  const themes = ["", "light", "dark"];
  const names = { "": "auto", light: "light", dark: "dark" };

  function applyTheme(name) {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
    theme.lastElementChild.textContent = names[name];
  }

  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    applyTheme(next);
    set("theme", next);
  });

  // ---- links within the page keep what was chosen ------------------------------------------------------

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    write((state) => state.set("at", target.id), true);
    goTo(target);
  });

  function goTo(target) {
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  }

  function applyAddress() {
    const state = read();
    filter.value = state.get("q") ?? "";
    const without = (state.get("without") ?? "").split(".");
    for (const box of boxes()) box.checked = !without.includes(box.dataset.fold);
    applyTheme(themes.includes(state.get("theme")) ? state.get("theme") : "");
    applyFolds();
    applyFilter();
    const sorts = state.getAll("sort");
    for (const [id, table] of sorters) table.apply(sorts.find((entry) => entry.startsWith(id + ":")));
    const target = state.has("at") && document.getElementById(state.get("at"));
    if (target) goTo(target);
  }

  // ---- taking tables along: just the rows and columns that are seen --------------------------------------

  const seen = (element) => !element.hidden && getComputedStyle(element).display !== "none";

  function rowsOf(table) {
    const text = (cell) => (cell.querySelector("bdi, b") ?? cell).textContent.replace(/\s+/g, " ").trim();
    const lines = [table.querySelector(".heads"), ...table.tBodies[0].rows].filter(seen);
    const rows = lines.map((line) => [...line.cells].filter(seen).flatMap((cell) => {
      const aside = cell.querySelector("small");
      if (!cell.classList.contains("drawn")) return [text(cell)];
      return cell.tagName === "TH" ? [text(cell), "interval"] : [text(cell), aside ? aside.textContent.trim() : ""];
    }));
    return rows.length > 1 ? rows : [];
  }

  // A spreadsheet takes what begins so for a formula; numbers begin with a sign too and stay as they are.
  const harmless = (text) => (/^[=+@\t\r-]/.test(text) && !/^[+-][\d.]+$/.test(text) ? "'" + text : text);
  const plain = (text) => harmless(text.replace(/\u2212/g, "-").replace(/[\u202f\u2060]/g, ""));
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  function csv() {
    const lines = [];
    for (const table of tables) {
      if (!table.checkVisibility()) continue;
      const rows = rowsOf(table);
      if (rows.length) lines.push([table.dataset.title], ...rows, []);
    }
    return lines.map((row) => row.map((text) => quoted(plain(text))).join(",")).join("\r\n");
  }

  document.getElementById("csv").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
    link.download = "slubench.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  const latexLetters = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const latex = (text) =>
    text
      .replace(/[\\~^&%$#_{}]/g, (letter) => latexLetters[letter] ?? "\\" + letter)
      .replace(/\u2212/g, "$-$").replace(/\u2013/g, "--").replace(/\u202f/g, "\\,").replace(/\u2060/g, "");
  const markdown = (text) => text.replace(/[\\|`*_<>\[\]]/g, "\\$&");
  const writers = {
    Markdown(rows) {
      const line = (row) => `| ${row.map(markdown).join(" | ")} |`;
      return [line(rows[0]), `|${" --- |".repeat(rows[0].length)}`, ...rows.slice(1).map(line)].join("\n");
    },
    LaTeX(rows) {
      const line = (row) => row.map(latex).join(" & ") + " \\\\";
      const body = ["\\toprule", line(rows[0]), "\\midrule", ...rows.slice(1).map(line), "\\bottomrule"];
      return [`\\begin{tabular}{l${"r".repeat(rows[0].length - 1)}}`, ...body, "\\end{tabular}"].join("\n");
    },
    BibTeX: () => document.getElementById("bibtex").textContent.trim(),
  };

  for (const table of tables) {
    const box = document.createElement("details");
    box.className = "paste";
    const summary = document.createElement("summary");
    summary.textContent = "Paste this table";
    const area = document.createElement("textarea");
    area.readOnly = true;
    area.hidden = true;
    area.setAttribute("aria-label", `${table.dataset.title}, to paste`);
    box.append(summary);
    for (const [name, write] of Object.entries(writers)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => {
        const rows = rowsOf(table);
        area.value = rows.length ? write(rows) : "";
        area.hidden = false;
        area.select();
      });
      box.append(button);
    }
    box.append(area);
    table.closest(".table-box").after(box);
  }

  addEventListener("popstate", applyAddress);
  document.getElementById("bar").hidden = false;
  applyAddress();

  // ---- plots -------------------------------------------------------------------------------------------

  const config = {
    background: null,
    font: getComputedStyle(document.getElementById("bar")).fontFamily,
    aria: false,
    view: { stroke: null },
    axis: {
      labelColor: "var(--soft)",
      titleColor: "var(--soft)",
      gridColor: "var(--rule)",
      domainColor: "var(--soft)",
      tickColor: "var(--soft)",
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titlePadding: 8,
      labelPadding: 5,
    },
    axisY: { domain: false, ticks: false, tickCount: 5 },
    text: { color: "var(--soft)", fontSize: 12 },
    range: { category: [0, 1, 2, 3, 4, 5, 6, 7].map((place) => `var(--s${place})`) },
  };

  async function draw(place) {
    if (place.drawn) return;
    place.drawn = true;
    const chart = { ...window.slubench.charts[place.chart], datasets: { rows: place.rows } };
    if (place.height) chart.height = place.height;
    await window.vegaEmbed(document.getElementById(place.id), chart, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
      logLevel: 1, // errors alone: a panel without references has a layer without extent, which is no fault
      config,
    });
    document.getElementById(place.id).dataset.drawn = "";
  }

  addEventListener("DOMContentLoaded", () => {
    const places = new Map(window.slubench.places.map((place) => [place.id, place]));
    const watch = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          watch.unobserve(entry.target);
          draw(places.get(entry.target.id));
        }
      },
      { rootMargin: "600px" },
    );
    for (const id of places.keys()) watch.observe(document.getElementById(id));
    addEventListener("beforeprint", () => places.forEach(draw));
  });
})();
