// The plain page: sign in, see the state and the counts, start, stop. Everything goes in as text, never as markup.
"use strict";

const at = (id) => document.getElementById(id);

async function call(method, path, body) {
  const answer = await fetch(path, {
    method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body),
  });
  const content = answer.status === 204 ? null : await answer.json();
  if (answer.ok) return content;
  const faults = (content.errors || []).map((e) => `${e.location}: ${e.message}`);
  throw Object.assign(new Error([content.detail, ...faults].join("\n")), { status: answer.status });
}

function show(status) {
  at("state").textContent = status.container.state;
  at("phase").textContent = [status.phase, status.operation && status.operation.name + " is going on"].filter(Boolean).join(", ");
  at("reason").textContent = [status.container.reason, ...status.messages].filter(Boolean).join("\n");
  const rows = [];
  if (status.run) rows.push(["Run", status.run.id], ["End reason", status.run.reason || "–"]);
  if (status.stats) {
    const { sample } = status.stats;
    rows.push(["Visits started", status.stats.visits_generated], ["Hits accepted per second", sample.hit_rate.toFixed(1)]);
    for (const [name, count] of Object.entries(sample.hits)) rows.push(["Hits " + name, count]);
  }
  at("numbers").replaceChildren(...rows.map((row) => {
    const tr = document.createElement("tr");
    for (const cell of row) tr.insertCell().textContent = cell;
    return tr;
  }));
}

async function refresh() {
  try {
    show(await call("GET", "api/status"));
    at("sign-in").hidden = true;
    at("status").hidden = false;
    if (at("message").dataset.from === "refresh") at("message").textContent = "";
  } catch (err) {
    at("sign-in").hidden = err.status !== 401;
    at("status").hidden = err.status === 401;
    if (err.status !== 401) tell(err.message, "refresh");
  }
}

function tell(text, from) {
  at("message").textContent = text;
  at("message").dataset.from = from;
}

async function act(method, path, body) {
  try {
    const result = await call(method, path, body);
    tell(result && result.message ? result.message : "", "act");
  } catch (err) {
    tell(err.message, "act");
  }
  await refresh();
}

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  act("POST", "api/session", { api_key: at("key").value });
  at("key").value = "";
});
at("start").addEventListener("click", () => act("POST", "api/start"));
at("stop").addEventListener("click", () => act("POST", "api/stop"));
at("sign-out").addEventListener("click", () => act("DELETE", "api/session"));

async function begin() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) {
    history.replaceState(null, "", location.pathname); // it is used up, so it need not stay in the address
    await act("POST", "api/session", { code });
  }
  await refresh();
  setInterval(refresh, 2000);
}

begin();
