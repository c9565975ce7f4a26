// The script of the HTML pages. It refreshes the access token while a page is open, sends the
// methods that HTML forms do not have, and copies the curl command. The tokens are in cookies that
// no script can read; this script only knows their lifetime.
"use strict";

const REFRESH_AHEAD = 10_000; // milliseconds before the token expires
const RETRY_AFTER = 5_000;
const RELOAD_AT_MOST_EVERY = 10_000;

const you = () => document.getElementById("you");
const channel = new BroadcastChannel("latchkey");

let expiresAt = null; // by this browser's clock; null if no user is signed in
let refreshing = null;
let retryAt = 0;

// A random time per tab, so that two tabs rarely refresh at once.
const ahead = REFRESH_AHEAD * (1 + Math.random());

function csrf() {
  const { csrfCookie, csrfHeader, csrfToken } = you().dataset;
  // After a sign-in in another tab, the cookie is newer than the page.
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${csrfCookie}=`));
  return { [csrfHeader]: found ? found.slice(csrfCookie.length + 1) : csrfToken };
}

function begin() {
  const seconds = you().dataset.expiresIn;
  expiresAt = seconds === undefined ? null : Date.now() + Number(seconds) * 1000;
  showTimes();
  for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
  tick();
}

// In the page's language, as it is spoken where the reader is, and in the browser's time zone.
function showTimes() {
  const language = document.documentElement.lang;
  const spoken = navigator.languages.find((one) => one.split("-")[0] === language.split("-")[0]);
  const format = new Intl.DateTimeFormat(spoken ?? language, { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = format.format(new Date(time.dateTime));
  }
  for (const zone of document.querySelectorAll("[data-time-zone]")) {
    zone.textContent = format.resolvedOptions().timeZone;
  }
}

// Refreshing the token

function tick() {
  if (expiresAt === null) return;
  const left = expiresAt - Date.now();
  const seconds = Math.max(0, Math.ceil(left / 1000));
  showClock(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  // A token with a short lifetime is refreshed in the last third of it.
  const margin = Math.min(ahead, (Number(you().dataset.expiresIn) * 1000) / 3);
  if (left <= margin && Date.now() >= retryAt) refresh();
}

// The clock is among what the page shows to developers.
function showClock(text) {
  const clock = document.getElementById("clock");
  if (clock !== null) clock.textContent = text;
}

// Resolve to whether the token was refreshed. Simultaneous callers share one request.
function refresh() {
  refreshing ??= askForRefresh().finally(() => { refreshing = null; });
  return refreshing;
}

async function askForRefresh() {
  if (!you().dataset.refresh) return false; // The project has no address for it.
  try {
    const answer = await fetch(you().dataset.refresh, { method: "POST", headers: csrf() });
    if (answer.ok) {
      const { expires_in } = await answer.json();
      takeOver(expires_in);
      channel.postMessage({ expires_in });
      return true;
    }
    if (answer.status === 401 || answer.status === 403) {
      signedOut();
      return false;
    }
  } catch {
    // There is no network. Try again later: the refresh token is valid for longer.
  }
  retryAt = Date.now() + RETRY_AFTER;
  return false;
}

function takeOver(seconds) {
  if (expiresAt !== null) {
    you().dataset.expiresIn = seconds;
    expiresAt = Date.now() + seconds * 1000;
    tick();
  }
}

function signedOut() {
  if (expiresAt === null) return;
  expiresAt = null;
  showClock("0:00");
  say(you().dataset.signedOut);
}

// The page was opened after the access cookie expired. Refresh it, and load the page again.
async function tryRefresh() {
  const last = Number(sessionStorage.getItem("latchkey-reloaded"));
  if (Date.now() - last < RELOAD_AT_MOST_EVERY) return;
  if (await refresh()) {
    sessionStorage.setItem("latchkey-reloaded", String(Date.now()));
    location.reload();
  }
}

async function ensureFresh() {
  if (expiresAt !== null && expiresAt - Date.now() < 2_000) await refresh();
}

// Forms

async function onSubmit(event) {
  const form = event.target;
  const method = (event.submitter?.dataset.method ?? form.dataset.method ?? "").toUpperCase();
  if (!method) {
    if (form.method === "post") await send(event, form);
    return;
  }
  event.preventDefault();
  if (form.dataset.confirm && !(await confirmed(form.dataset.confirm))) return;
  await ensureFresh();
  let answer;
  try {
    answer = await fetch(form.action, { method, ...content(form, method) });
  } catch {
    say(you().dataset.noAnswer);
    return;
  }
  if (answer.headers.get("Content-Type")?.startsWith("text/html")) {
    show(await answer.text());
  } else {
    say(`The server answered ${answer.status} ${answer.statusText}.`);
  }
}

// Send a form that works without this script too, after a question and with a fresh token.
async function send(event, form) {
  const isStale = expiresAt !== null && expiresAt - Date.now() < 2_000;
  if (!form.dataset.confirm && !isStale) return;
  event.preventDefault();
  if (form.dataset.confirm) {
    if (!(await confirmed(form.dataset.confirm))) return;
    const answer = document.createElement("input");
    Object.assign(answer, { type: "hidden", name: "confirmed", value: "yes" });
    form.append(answer);
  }
  await ensureFresh();
  form.submit();
}

function content(form, method) {
  const headers = { Accept: "text/html, */*", ...csrf() };
  const raw = form.querySelector("[data-override=content]");
  if (raw) {
    const type = form.querySelector("[data-override=content-type]").value;
    return { headers: { ...headers, "Content-Type": type }, body: raw.value };
  }
  return ["DELETE", "OPTIONS"].includes(method) ? { headers } : { headers, body: new FormData(form) };
}

function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  document.title = next.title;
  document.querySelector("main").replaceWith(document.adoptNode(next.querySelector("main")));
  you().replaceWith(document.adoptNode(next.getElementById("you")));
  begin();
  document.querySelector("main").focus();
  scrollTo(0, 0);
}

let abandonQuestion = () => {};

function confirmed(question) {
  // The dialog may have closed without its event having come yet.
  abandonQuestion();
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    abandonQuestion = () => resolve(false);
    dialog.addEventListener("close", function answered() {
      if (dialog.open) return; // The event of an earlier question.
      dialog.removeEventListener("close", answered);
      resolve(dialog.returnValue === "yes");
    });
  });
}

async function copy(id, button) {
  const source = document.getElementById(id);
  const { textContent: before } = button;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.copied;
  } catch {
    // Browsers have no clipboard API without HTTPS. Select the text, so that the user can copy it.
    getSelection().selectAllChildren(source);
    button.textContent = button.dataset.selected;
  }
  setTimeout(() => { button.textContent = before; }, 2_000);
}

function say(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.hidden = false;
}

document.addEventListener("submit", onSubmit);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button.dataset.copy, button);
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-show-passwords]")) return;
  for (const input of event.target.form.querySelectorAll("[autocomplete$=password]")) {
    input.type = event.target.checked ? "text" : "password";
  }
});
document.addEventListener("visibilitychange", tick);
channel.addEventListener("message", (event) => takeOver(event.data.expires_in));
setInterval(tick, 1_000);
begin();
if (you().dataset.tryRefresh) tryRefresh();
