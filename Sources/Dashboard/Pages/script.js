// Pages work without this. It keeps a page with a live part up to date, and tells what changed to those who listen.
"use strict";

(() => {
  const live = document.querySelector("[data-live]");
  const said = document.querySelector("[data-say]");
  if (!live || !("EventSource" in window)) return;

  // What a reader had open and where they were stays so.
  const replace = (html) => {
    const open = [...live.querySelectorAll("details[open][id]")].map((element) => element.id);
    const active = document.activeElement;
    const held = live.contains(active) ? active.getAttribute("href") || active.id : null;
    live.innerHTML = html;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (!held) return;
    const again = [...live.querySelectorAll("a[href], [id]")]
      .find((element) => element.getAttribute("href") === held || element.id === held);
    again?.focus({ preventScroll: true });
  };

  const source = new EventSource(live.dataset.live);
  source.addEventListener("page", (event) => replace(event.data));
  source.addEventListener("say", (event) => {
    if (said && said.textContent !== event.data) said.textContent = event.data;
  });
  // A page that is left open for the night asks again by itself.
  window.addEventListener("pagehide", () => source.close());
})();
