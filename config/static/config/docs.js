// What Swagger UI's markup lacks: it follows the reader's colours, its headings skip no level, every part
// is within a landmark, its text areas have names, and no link is inside a button.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const ATTRIBUTES = [
  ["h3.opblock-tag, .models > h4", { role: "heading", "aria-level": "2" }],
  [".opblock h4", { role: "heading", "aria-level": "3" }],
  [".opblock h5", { role: "heading", "aria-level": "4" }],
  [".information-container", { role: "region", "aria-label": document.title }],
  ["textarea:not([aria-label])", { "aria-label": "Body" }],
];

function mend() {
  for (const [selector, attributes] of ATTRIBUTES) {
    for (const element of document.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes)) {
        if (element.getAttribute(name) !== value) element.setAttribute(name, value);
      }
    }
  }
  // A click on the button opens the operation and writes its address, as the link would.
  for (const link of document.querySelectorAll(".opblock-summary-control a[href]")) {
    link.removeAttribute("href");
  }
}

new MutationObserver(mend).observe(document, { childList: true, subtree: true });
