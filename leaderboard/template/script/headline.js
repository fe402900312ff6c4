// The headline: one task and one budget at a time; the curve marks the budget.
"use strict";

(() => {
  const app = window.slubench;
  const { state } = app;
  const headlines = [...document.querySelectorAll(".headline")];
  if (!headlines.length) return;
  const first = headlines[0];
  const budgetsOf = (headline) => [...headline.querySelectorAll("button[data-budget]")];
  const usual = (headline) => headline.querySelector(".line").dataset.budget;

  // A plot draws what belongs to no budget, and to the chosen one.
  app.chosenRows = (element, rows) => {
    const headline = element.closest(".headline");
    if (!headline) return rows;
    const chosen = headline.dataset.budget ?? usual(headline);
    return rows.filter((row) => row.role !== "chosen" || row.budget === chosen);
  };

  function show(headline, budget) {
    const before = headline.dataset.budget ?? usual(headline);
    headline.dataset.budget = budget;
    for (const line of headline.querySelectorAll("p[data-budget]")) line.hidden = line.dataset.budget !== budget;
    for (const button of budgetsOf(headline)) {
      button.setAttribute("aria-pressed", String(button.dataset.budget === budget));
    }
    if (before !== budget) app.drawAgain?.(document.getElementById(headline.dataset.plot));
  }

  function apply() {
    const address = state.read();
    const open = headlines.find((one) => one.dataset.panel === address.get("ask")) ?? first;
    for (const headline of headlines) {
      headline.hidden = headline !== open;
      headline.querySelector(".asking").hidden = false;
    }
    const wanted = address.get("budget");
    const known = budgetsOf(open).some((button) => button.dataset.budget === wanted);
    show(open, known ? wanted : usual(open));
    const select = open.querySelector(".of-headlines");
    if (select) select.value = open.dataset.panel;
  }

  for (const headline of headlines) {
    for (const button of budgetsOf(headline)) {
      button.addEventListener("click", () => {
        const { budget } = button.dataset;
        state.set("budget", budget === usual(headline) ? "" : budget);
        show(headline, budget);
      });
    }
    headline.querySelector(".of-headlines")?.addEventListener("change", (event) => {
      const wanted = event.target.value;
      state.write((address) => {
        address.delete("budget");
        if (wanted === first.dataset.panel) address.delete("ask");
        else address.set("ask", wanted);
      });
      apply();
      document.querySelector(".headline:not([hidden]) .of-headlines").focus();
    });
  }

  addEventListener("popstate", apply);
  addEventListener("hashchange", apply);
  apply();
})();
