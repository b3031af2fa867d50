
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const LEVELS = ["critical", "high", "medium", "low"];
  const STEP = 100;
  let month = "";

  // Everything is put on the page as text: nothing of a repository is ever markup.
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "click") element.addEventListener("click", value);
      else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== ""));
    return element;
  };
  const number = (count) => count.toLocaleString("en");
  const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;
  const rule = (finding) => data.rules[finding.rule][0];

  for (const finding of data.findings) {
    finding.words = [finding.path, rule(finding), finding.author, finding.commit, finding.subject, finding.fingerprint]
      .filter(Boolean).join("\n").toLowerCase();
    finding.month = (finding.date || "").slice(0, 7);
  }

  const count = (key) => {
    const counts = new Map();
    for (const finding of data.findings) {
      const value = key(finding);
      if (value) counts.set(value, (counts.get(value) || 0) + 1);
    }
    return counts;
  };

  const options = (id, all, counts, order) => {
    const select = at(id);
    select.append(make("option", { value: "" }, all));
    for (const value of order.filter((value) => counts.has(value))) {
      select.append(make("option", { value }, `${value} (${number(counts.get(value))})`));
    }
    select.closest("label").hidden = counts.size === 0;
  };

  const lists = (id, items, title) => {
    if (!items.length) return;
    at(id).hidden = false;
    at(id).querySelector("ul, ol").append(...items.map((item) => make("li", {}, item)));
    if (title) at(id).querySelector("summary").append(title);
  };

  const severities = count((finding) => finding.severity);
  const tile = (name, amount, kind, pick) =>
    make(pick ? "button" : "div", { class: `tile ${kind}`, type: pick && "button", "data-level": pick && name,
      "aria-pressed": pick && "false", click: pick || (() => {}) },
      make("b", {}, number(amount)), make("span", {}, name));
  const summary = () => {
    const files = new Set(data.findings.map((finding) => finding.path)).size;
    at("summary").append(tile(data.findings.length === 1 ? "finding" : "findings", data.findings.length, ""));
    for (const level of LEVELS.filter((level) => severities.has(level))) {
      at("summary").append(tile(level, severities.get(level), level, () => {
        at("severity").value = at("severity").value === level ? "" : level;
        show();
      }));
    }
    at("summary").append(tile(files === 1 ? "file" : "files", files, ""), tile(data.rules.length === 1 ? "rule" : "rules", data.rules.length, ""));
    const removed = data.findings.filter((finding) => finding.state === "removed").length;
    if (removed) at("summary").append(tile("only in history", removed, ""));
    at("about").textContent = [data.tool, data.began && `${data.began} to ${data.ended}`,
      `${plural(data.contents, "content", "contents")} (${data.size})` + (data.commits ? ` in ${plural(data.commits, "commit", "commits")}` : "")]
      .filter(Boolean).join(" · ");
  };

  const timeline = () => {
    const counts = count((finding) => finding.month);
    if (counts.size < 2) return;
    const months = [...counts.keys()].filter((key) => /^\d{4}-(0[1-9]|1[0-2])$/.test(key)).sort();
    if (months.length < 2) return;
    const all = [];
    for (let [year, index] = months[0].split("-").map(Number); all.length < 600; index += 1) {
      if (index > 12) { index = 1; year += 1; }
      const name = `${String(year).padStart(4, "0")}-${String(index).padStart(2, "0")}`;
      if (name > months[months.length - 1]) break;
      all.push(name);
    }
    const span = all.length <= 120 ? all : months;
    const most = Math.max(...counts.values());
    const every = Math.ceil(span.length / 12);
    at("timeline").hidden = false;
    span.forEach((name, index) => {
      const amount = counts.get(name) || 0;
      const bar = make("i", {});
      bar.style.height = `calc((100% - 2em) * ${(amount / most).toFixed(4)})`;
      bar.style.minHeight = amount ? "3px" : "0";
      const label = `${name}: ${plural(amount, "finding", "findings")}`;
      at("bars").append(make("button", { type: "button", title: label, "aria-label": label, "aria-pressed": "false",
        "data-month": name, disabled: !amount, click: () => { month = month === name ? "" : name; show(); } },
        bar, make("span", { "aria-hidden": "true" }, index % every === 0 ? name : "")));
    });
  };

  const copy = (text) => make("button", { type: "button", class: "small", "aria-label": "Copy the fingerprint",
    click: async (event) => {
      const button = event.currentTarget;
      try { await navigator.clipboard.writeText(text); button.textContent = "copied"; }
      catch { getSelection().selectAllChildren(button.previousElementSibling); button.textContent = "selected"; }
    } }, "copy");

  const article = (finding, group) => {
    const place = finding.line ? `${finding.path}:${finding.line}:${finding.column}` : finding.path;
    const [id, description] = data.rules[finding.rule];
    const head = make("h3", {}, make("span", { class: `badge ${finding.severity}` }, finding.severity), place);
    const box = make("article", {}, head);
    box.append(make("p", {}, group === "rule" ? "" : `${description} `,
      make("span", { class: "soft" }, `${group === "rule" ? "" : `${id}, `}${finding.confidence} confidence` +
        (finding.state === "removed" ? ", only in history" : finding.state === "present" ? ", still there today" : "") +
        (finding.decoded ? `, decoded from ${finding.decoded}` : ""))));
    if (finding.text) {
      const [before, marked, after] = finding.text;
      box.append(make("pre", { tabindex: "0", "aria-label": "Line with the finding" }, before, marked ? make("mark", {}, marked) : "", after));
    }
    if (finding.with) box.append(make("p", { class: "soft" }, `together with ${finding.with.join(", ")}`));
    if (finding.commit) {
      const short = finding.commit.slice(0, 12);
      box.append(make("p", { class: "soft" }, "commit ",
        finding.link ? make("a", { href: finding.link, rel: "noreferrer noopener" }, short) : make("code", {}, short),
        ["", finding.date.slice(0, 10), finding.author, finding.subject].filter((part, index) => part || !index).join(" · ")));
    }
    box.append(make("p", { class: "soft" }, make("code", {}, finding.fingerprint), copy(finding.fingerprint)));
    return box;
  };

  // Adds items a hundred at a time, with a button for the next ones.
  const fill = (target, items, draw) => {
    const add = (from) => {
      const part = items.slice(from, from + STEP).map(draw);
      target.append(...part);
      if (from > 0 && part[0]) (part[0].querySelector("summary, pre, button") || part[0]).focus();
      const left = items.length - from - part.length;
      if (left > 0) {
        target.append(make("button", { type: "button", class: "more", click: (event) => {
          event.currentTarget.remove();
          add(from + STEP);
        } }, `Show ${number(Math.min(STEP, left))} more of ${number(left)}`));
      }
    };
    add(0);
  };

  const section = (kind, open) => ([key, findings]) => {
    const first = findings[0];
    let title = key || "not of a commit";
    let about;
    if (kind === "rule") [title, about] = data.rules[first.rule];
    if (kind === "commit" && first.commit) {
      title = `${first.commit.slice(0, 12)} ${first.date.slice(0, 10)}`;
      about = [first.author, first.subject].filter(Boolean).join(": ");
    }
    const worst = LEVELS.find((level) => findings.some((finding) => finding.severity === level));
    const details = make("details", {}, make("summary", {}, make("span", { class: `badge ${worst}` }, worst), title,
      make("span", { class: "count" }, plural(findings.length, "finding", "findings")),
      about ? make("span", { class: "about" }, about) : ""));
    const draw = () => {
      if (details.open && details.childElementCount === 1) fill(details, findings, (finding) => article(finding, kind));
    };
    details.addEventListener("toggle", draw);
    if (open) { details.open = true; draw(); }
    return details;
  };

  const show = () => {
    const words = at("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = ["severity", "confidence", "state"].map((key) => [key, at(key).value]).filter(([, value]) => value);
    const id = at("rule").value;
    const found = data.findings.filter((finding) =>
      (!id || rule(finding) === id) && (!month || finding.month === month) &&
      wanted.every(([key, value]) => finding[key] === value) && words.every((word) => finding.words.includes(word)));
    for (const button of document.querySelectorAll("[data-level]")) {
      button.setAttribute("aria-pressed", String(button.dataset.level === at("severity").value));
    }
    for (const button of document.querySelectorAll("[data-month]")) {
      button.setAttribute("aria-pressed", String(button.dataset.month === month));
    }
    const kind = at("group").value;
    const groups = new Map();
    for (const finding of found) {
      const key = kind === "rule" ? rule(finding) : finding[kind] || "";
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(finding);
    }
    let sorted = [...groups];
    if (kind === "rule") sorted.sort((one, other) => other[1].length - one[1].length);
    if (kind === "commit") sorted.sort((one, other) => (other[1][0].date || "").localeCompare(one[1][0].date || ""));
    at("shown").textContent = data.findings.length === 0 ? "No secrets found."
      : `${number(found.length)} of ${plural(data.findings.length, "finding", "findings")} in ${plural(sorted.length, "group", "groups")}` +
        (month ? `, only ${month}` : "");
    at("list").replaceChildren();
    fill(at("list"), sorted, section(kind, found.length <= 30));
  };

  summary();
  timeline();
  lists("unread", data.unread);
  lists("ways", data.findings.length ? data.ways : []);
  lists("skipped", data.skipped, plural(data.skipped.length, "thing was", "things were") + " skipped by rule");
  const rules = count(rule);
  options("rule", "all rules", rules, [...rules.keys()].sort());
  options("severity", "all", severities, LEVELS);
  options("confidence", "all", count((finding) => finding.confidence), ["high", "medium", "low"]);
  options("state", "all", count((finding) => finding.state), ["present", "removed"]);
  if (!data.findings.some((finding) => finding.commit)) at("group").querySelector("[value=commit]").remove();
  at("filters").hidden = data.findings.length === 0;

  let later;
  at("words").addEventListener("input", () => { clearTimeout(later); later = setTimeout(show, 120); });
  at("filters").addEventListener("change", show);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => setTimeout(() => { month = ""; show(); }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      at("words").focus();
    }
  });
  show();
})();
