"use strict";
for (const frame of document.querySelectorAll("iframe")) {
  // The whole mail in sight: what it says about its measuring stands at its end.
  frame.addEventListener("load", () => { frame.height = frame.contentDocument.documentElement.scrollHeight + 8; });
}
for (const button of document.querySelectorAll("button.open")) {
  button.addEventListener("click", () => {
    const frame = document.getElementById(button.dataset.frame);
    const closed = frame.hidden;
    frame.hidden = !closed;
    if (closed) frame.src = button.dataset.mail + "?at=" + Date.now();
    else frame.removeAttribute("src");
    button.setAttribute("aria-expanded", String(closed));
    button.querySelector(".verb").textContent = closed ? "Close" : "Open again";
  });
}
let last = -1;
async function refresh() {
  const answer = await fetch("/demo/events");
  const events = await answer.json();
  if (events.length === last) return;
  last = events.length;
  const list = document.getElementById("events");
  list.replaceChildren(...events.map((event) => {
    const item = document.createElement("li");
    item.className = event.recorded ? "kept" : "declined";
    const verdict = document.createElement("b");
    verdict.textContent = event.recorded ? "Recorded" : "Declined";
    const what = document.createElement("span");
    what.textContent = event.who + (event.kind === "open" ? " opened a mail" : " clicked link " + event.link);
    const why = document.createElement("small");
    why.textContent = event.words + (event.engagement ? " Probably: " + event.engagement + "." : "");
    item.append(verdict, what, why);
    return item;
  }));
  document.getElementById("nothing").hidden = events.length > 0;
  document.getElementById("kept").textContent = events.filter((event) => event.recorded).length;
  document.getElementById("declined").textContent = events.filter((event) => !event.recorded).length;
}
setInterval(refresh, 700);
refresh();
