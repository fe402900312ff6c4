// Exports tables as CSV, Markdown or LaTeX: only visible rows and columns.
"use strict";

(() => {
  const tables = [...document.querySelectorAll("table.sortable")];
  const seen = (element) => !element.hidden && getComputedStyle(element).display !== "none";

  function rowsOf(table) {
    const text = (cell) => (cell.querySelector("bdi, b, .title") ?? cell).textContent.replace(/[ \t\r\n]+/g, " ").trim();
    const groups = [...table.querySelectorAll(".groups > *")].flatMap((cell) => Array(cell.colSpan).fill(text(cell)));
    const titles = [...table.querySelectorAll(".heads th")].map(text);
    // Titles that recur, such as SLU-F1 for speech and text input, also get the name of their group.
    const title = (cell, place = cell.cellIndex) =>
      titles.indexOf(titles[place]) < place ? `${titles[place]} (${groups[place].toLowerCase()})` : titles[place];
    const lines = [table.querySelector(".heads"), ...table.tBodies[0].rows].filter(seen);
    const rows = lines.map((line, at) => [...line.cells].filter(seen).flatMap((cell) => {
      const told = at ? text(cell) : title(cell);
      if (!cell.classList.contains("drawn")) return [told];
      const aside = cell.querySelector("small");
      return [told, at ? aside?.textContent.trim() ?? "" : "interval"];
    }));
    return rows.length > 1 ? rows : [];
  }

  // Spreadsheets take such cells for formulas; numbers may begin with a sign too and stay unchanged.
  const harmless = (text) => (/^[=+@\t\r-]/.test(text) && !/^[+-][\d.]+$/.test(text) ? "'" + text : text);
  const plain = (text) => harmless(text.replace(/\u2212/g, "-").replace(/[\u202f\u2060]/g, ""));
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  const csv = (rows) => rows.map((row) => row.map((text) => quoted(plain(text))).join(",")).join("\r\n");

  function save(table, rows) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], { type: "text/csv" }));
    link.download = `${table.id}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

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
  };

  // Some browsers have no clipboard for pages opened from disk; then the text is selected instead.
  window.slubench.copy = async (text, area, button) => {
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = name), 1500);
    } catch {
      if (area) area.focus();
    }
  };

  function paste(table) {
    const box = document.createElement("details");
    box.className = "paste";
    const summary = document.createElement("summary");
    summary.textContent = "Take this table";
    const area = document.createElement("textarea");
    area.readOnly = true;
    area.hidden = true;
    area.setAttribute("aria-label", `${table.dataset.title}, as text to copy`);
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
        window.slubench.copy(area.value, area, button);
      });
      box.append(button);
    }
    const file = document.createElement("button");
    file.type = "button";
    file.textContent = "CSV file";
    file.title = "Visible rows and columns, for a spreadsheet";
    file.addEventListener("click", () => {
      const rows = rowsOf(table);
      if (rows.length) save(table, rows);
    });
    box.append(file, area);
    table.closest(".table-box").after(box);
  }
  tables.forEach(paste);

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const from = document.getElementById(button.dataset.copy);
      getSelection().selectAllChildren(from);
      window.slubench.copy(from.textContent.trim(), null, button);
    });
  }
})();
