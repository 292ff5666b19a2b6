// Shows openapi.json as a page. Everything goes in as text, never as markup.
"use strict";

const make = (tag, ...inside) => {
  const e = document.createElement(tag);
  e.append(...inside);
  return e;
};

const words = (s) => [s.type && [s.type].flat().join(" or "), s.format, s.enum && s.enum.join(" | "),
  s.minimum !== undefined && "≥ " + s.minimum, s.maximum !== undefined && "≤ " + s.maximum,
  s.maxLength !== undefined && "at most " + s.maxLength + " characters",
  s.default !== undefined && "default " + JSON.stringify(s.default)].filter(Boolean).join(", ");

function resolve(doc, schema) {
  while (schema && schema.$ref) schema = schema.$ref.split("/").slice(1).reduce((o, k) => o[k], doc);
  return schema || {};
}

// outline is the schema as indented lines; depth ends what contains itself.
function outline(doc, schema, indent = "", depth = 6) {
  schema = resolve(doc, schema);
  if (schema.oneOf) return schema.oneOf.map((s) => outline(doc, s, indent, depth)).join(" or ");
  if (schema.items) return "list of\n" + indent + "  " + outline(doc, schema.items, indent + "  ", depth - 1);
  if (!schema.properties || depth === 0) {
    const values = schema.additionalProperties;
    return values && typeof values === "object" ? "map of " + outline(doc, values, indent, depth - 1) : words(schema) || "any";
  }
  const required = new Set(schema.required);
  return "object" + Object.entries(schema.properties).map(([name, s]) => {
    const inner = resolve(doc, s);
    const note = s.description || inner.description;
    return `\n${indent}  ${name}${required.has(name) ? "" : "?"}: ${outline(doc, s, indent + "  ", depth - 1)}${note ? "  — " + note : ""}`;
  }).join("");
}

function block(doc, title, content) {
  const [type, media] = Object.entries(content || {})[0] || [];
  if (!media) return make("p", title);
  return make("details", make("summary", title + " (" + type + ")"), make("pre", outline(doc, media.schema)));
}

function operation(doc, path, method, o) {
  const head = make("span", method.toUpperCase());
  head.className = "method";
  const box = make("details", make("summary", head, make("code", path), " ", o.summary || ""));
  if (o.description) box.append(make("p", o.description));
  if (o.parameters) {
    box.append(make("table", ...o.parameters.map((p) => make("tr",
      make("th", make("code", p.name)), make("td", p.in + (p.required ? ", required" : "")),
      make("td", words(resolve(doc, p.schema))), make("td", p.description || "")))));
  }
  if (o.requestBody) box.append(block(doc, "Request", o.requestBody.content));
  for (const [status, r] of Object.entries(o.responses || {})) box.append(block(doc, status + " " + (r.description || ""), r.content));
  box.dataset.words = (method + path + (o.summary || "") + (o.tags || [])).toLowerCase();
  return box;
}

async function show() {
  const doc = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = doc.info.description + " Version " + doc.info.version + ".";
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, o] of Object.entries(item)) {
      const tag = (o.tags || ["Other"])[0];
      if (!groups.has(tag)) groups.set(tag, make("section", make("h2", tag)));
      groups.get(tag).append(operation(doc, path, method, o));
    }
  }
  document.getElementById("operations").append(...groups.values());
  document.getElementById("find").addEventListener("input", (event) => {
    const want = event.target.value.toLowerCase();
    for (const box of document.querySelectorAll("section > details")) box.hidden = !box.dataset.words.includes(want);
  });
}

show().catch((err) => { document.getElementById("about").textContent = "The document cannot be read: " + err.message; });
