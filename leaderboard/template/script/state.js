// Filters and settings are stored after the # of the address, so that a view can be shared.
"use strict";

(() => {
  const app = (window.slubench ??= {});

  app.state = {
    read: () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""),

    write(change, push) {
      const state = app.state.read();
      change(state);
      const hash = state.toString();
      const address = location.pathname + location.search + (hash ? "#" + hash : "");
      history[push ? "pushState" : "replaceState"](null, "", address);
    },

    set: (key, value) => app.state.write((state) => (value ? state.set(key, value) : state.delete(key))),
  };

  // Classic scripts, as a page opened from the disk may load neither modules nor JSON.
  const loading = new Map();
  app.load = (path) => {
    if (!loading.has(path)) {
      loading.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = path;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${path} can't be loaded`));
        document.head.append(script);
      }));
    }
    return loading.get(path);
  };
})();
