// Light, dark, or as the system has it; kept for the other pages of the folder where the browser lets it.
"use strict";

(() => {
  const { state } = window.slubench;
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["", "light", "dark"];
  const names = { "": "auto", light: "light", dark: "dark" };

  const remembered = () => {
    try {
      return localStorage.getItem("slubench-theme") ?? "";
    } catch {
      return "";
    }
  };

  function apply(name) {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
    button.lastElementChild.textContent = names[name];
  }

  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    apply(next);
    if (!button.dataset.own) state.set("theme", next);
    try {
      localStorage.setItem("slubench-theme", next);
    } catch {
      // Without storage the address alone remembers.
    }
  });

  window.slubench.applyTheme = () => {
    const named = state.read().get("theme") ?? remembered();
    apply(themes.includes(named) ? named : "");
  };
  window.slubench.applyTheme();
  document.getElementById("bar").hidden = false;
})();
