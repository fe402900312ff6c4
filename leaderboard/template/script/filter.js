// Filters rows by words and by choices, folds groups of columns, follows links within the page.
"use strict";

(() => {
  const { state } = window.slubench;
  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const words = (text) => text.toLowerCase().replace(/\s+(?=%|min\b)/g, "").split(/\s+/).filter(Boolean);
  const hay = (tokens) => ` ${[...tokens, ...tokens.flatMap((token) => token.split(/[-_.:]+/))].join(" ")}`;

  // ---- what there is to filter, read when it is first asked for ------------------------------------------

  let known = null;
  function panels() {
    known ??= [...document.querySelectorAll(".panel")].map((panel) => {
      const about = hay(words(panel.querySelector("h3").textContent));
      const rows = [...panel.querySelectorAll(".sortable tbody tr")].map((row) => ({
        row,
        text: about + hay([...row.querySelectorAll("th, .words, .budget")].flatMap((cell) => words(cell.textContent))),
        speech: row.querySelector(".budget")?.textContent.trim(),
        proof: row.dataset.proof,
        table: row.closest("table"),
        shown: true, // as it stands on the page
        stays: true, // as it was decided
      }));
      return { panel, rows, ...panel.dataset };
    });
    return known;
  }

  // ---- choices -------------------------------------------------------------------------------------------

  const choices = [...document.querySelectorAll("#choices select")];
  const ofPanel = choices.filter((choice) => choice.dataset.of === "panel");
  const ofRow = choices.filter((choice) => choice.dataset.of === "row");
  const proven = (row, wanted) =>
    wanted === "verified" ? row.proof !== "claimed" : wanted === "unverified" ? row.proof === "claimed" : row.proof === wanted;

  // A row that knows nothing of what is chosen is none of the things left out.
  function keeps(row) {
    return ofRow.every(({ name, value }) => {
      if (!value || row[name] === undefined) return true;
      return name === "proof" ? proven(row, value) : row[name] === value;
    });
  }

  // Of a long page what is seen first is answered at once, the rest after that was painted.
  const AT_ONCE = 40; // rows that come back; those that go cost little
  const AFTERWARDS = 300;
  let latest = null;
  function carryOut(changes, most = AT_ONCE) {
    latest = changes;
    let back = 0;
    while (changes.length && back < most) back += changes.shift()();
    for (const section of document.querySelectorAll(".setting")) {
      section.hidden = !section.querySelector(".panel:not([hidden])");
    }
    if (!changes.length) return;
    requestAnimationFrame(() => setTimeout(() => latest === changes && carryOut(changes, AFTERWARDS)));
  }

  function* changesOf(each, open, stays) {
    const here = stays.some(Boolean);
    yield () => {
      each.panel.hidden = !open || (each.rows.length > 0 && !here);
      return 0;
    };
    for (const [at, row] of each.rows.entries()) {
      if (stays[at] === row.shown) continue;
      yield () => {
        row.row.hidden = !(row.shown = stays[at]);
        return Number(row.shown);
      };
    }
  }

  function apply() {
    const terms = words(filter.value).map((word) => " " + word);
    const chosen = terms.length || choices.some((choice) => choice.value);
    if (!chosen && known === null) return;
    const changes = [];
    for (const each of panels()) {
      const open = ofPanel.every(({ name, value }) => !value || each[name] === value);
      const stays = each.rows.map((row) => (row.stays = open && keeps(row) && terms.every((term) => row.text.includes(term))));
      changes.push(...changesOf(each, open, stays));
    }
    carryOut(changes);
    tell();
  }

  // Rows that a reader can see: those of tables that are folded away are counted when they are unfolded.
  function tell() {
    const chosen = filter.value.trim() || choices.some((choice) => choice.value);
    let [shown, all] = [0, 0];
    for (const { rows } of chosen ? panels() : []) {
      for (const { stays, table } of rows) {
        if (table.closest("details:not([open])")) continue;
        shown += Number(stays);
        all += 1;
      }
    }
    found.textContent = chosen ? `${shown} of ${all} rows` : "";
  }
  document.addEventListener("toggle", tell, true);

  filter.addEventListener("input", () => {
    apply();
    state.set("q", filter.value.trim());
  });
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      apply();
      state.set(choice.name, choice.value);
    });
  }
  (window.requestIdleCallback ?? setTimeout)(panels);

  // ---- folding groups of columns -------------------------------------------------------------------------

  const folds = document.getElementById("folds");
  const hidden = (folds.dataset.hidden ?? "").split(".");
  const groups = new Map();
  for (const head of document.querySelectorAll(".groups th[data-fold]")) {
    groups.set(head.dataset.fold, head.textContent.trim());
  }
  const boxes = [...groups].map(([number, title]) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.includes(number);
    box.dataset.fold = number;
    label.append(box, title);
    folds.append(label);
    box.addEventListener("change", () => {
      fold();
      const changed = (checked) => boxes
        .filter((other) => other.checked === checked && hidden.includes(other.dataset.fold) === checked)
        .map((other) => other.dataset.fold).join(".");
      state.set("with", changed(true));
      state.set("without", changed(false));
    });
    return box;
  });

  function fold() {
    for (const box of boxes) document.body.classList.toggle(`fold-${box.dataset.fold}`, !box.checked);
  }

  // ---- links within the page keep what was chosen --------------------------------------------------------

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    state.write((address) => address.set("at", target.id), true);
    goTo(target);
  });

  function goTo(target) {
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  }

  function applyAddress() {
    const address = state.read();
    filter.value = address.get("q") ?? "";
    for (const choice of choices) {
      choice.value = address.get(choice.name) ?? "";
      if (choice.selectedIndex < 0) choice.value = "";
    }
    const without = (address.get("without") ?? "").split(".");
    const shown = (address.get("with") ?? "").split(".");
    for (const box of boxes) {
      const number = box.dataset.fold;
      box.checked = shown.includes(number) || !(hidden.includes(number) || without.includes(number));
    }
    window.slubench.applyTheme();
    fold();
    apply();
    window.slubench.applySorts();
    const at = address.get("at") ?? (location.hash.includes("=") ? "" : location.hash.slice(1));
    const target = at && document.getElementById(at);
    if (target) goTo(target);
  }

  addEventListener("popstate", applyAddress);
  addEventListener("hashchange", applyAddress);
  applyAddress();
})();
