// SPDX-FileCopyrightText: 2026 keyholder.macos contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Sorts, searches and shows the Macs. Whatever came from a Mac is only ever set as text, never as markup.
"use strict";
(() => {
  const PAGE = 100;
  const VERDICTS = ["no", "at_risk", "unknown", "not_read", "pending", "yes"];
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const find = (id) => document.getElementById(id);
  const head = data("head");
  const rows = data("rows").map((row, index) => {
    const [host, state, score, why, change, columns, recoverable, broken, macos, chip, holders, accounts, filevault, bootstrap] = row;
    return { index, host, state, score, why, change, columns, recoverable, broken, macos, chip, holders, accounts, filevault, bootstrap };
  });
  const many = (number) => number.toLocaleString("en");
  const words = (text) => String(text).replaceAll("_", " ");
  // Control characters, and those that turn the direction of text around, are shown as what they are: nothing to see.
  const plain = (text) => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "?");
  for (const row of rows) {
    row.text = [row.host, row.why, row.macos, ...row.columns, ...(row.holders || [])].join("\n").toLowerCase();
  }

  const chosen = { states: new Set(), rule: null, text: "", changed: false, sort: "score", down: true, page: 0 };
  let shown = [];

  const make = (name, properties, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key === "class") element.className = value;
      else if (key === "click") element.addEventListener("click", value);
      else element.setAttribute(key, value);
    }
    for (const child of children.flat()) {
      if (child !== null && child !== undefined && child !== false) {
        element.append(child instanceof Node ? child : document.createTextNode(plain(child)));
      }
    }
    return element;
  };

  const numbers = (text) => (text ? String(text).split(/\D+/).map(Number) : [-1]);
  const byNumbers = (a, b) => {
    for (let part = 0; part < 4; part += 1) {
      const difference = (a[part] || 0) - (b[part] || 0);
      if (difference) return difference;
    }
    return 0;
  };
  const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const by = {
    host: (a, b) => names.compare(a.host, b.host),
    score: (a, b) => a.score - b.score,
    why: (a, b) => names.compare(a.why, b.why),
    macos: (a, b) => byNumbers(numbers(a.macos), numbers(b.macos)),
    holders: (a, b) => (a.holders ? a.holders.length : -1) - (b.holders ? b.holders.length : -1),
    filevault: (a, b) => names.compare(a.filevault || "", b.filevault || ""),
    bootstrap: (a, b) => names.compare(a.bootstrap || "", b.bootstrap || ""),
    broken: (a, b) => a.broken.length - b.broken.length,
    recoverable: (a, b) => VERDICTS.indexOf(a.recoverable) - VERDICTS.indexOf(b.recoverable),
  };
  head.columns.forEach((_name, number) => { by[`column-${number}`] = (a, b) => names.compare(a.columns[number], b.columns[number]); });

  const state = (number) => {
    const code = head.states[number];
    return make("span", { class: "state" }, make("i", { class: `dot fill-${code}` }), head.titles[code]);
  };

  const line = (row) => {
    const read = row.macos !== undefined;
    const link = make("a", { href: `#mac=${encodeURIComponent(row.host)}` }, row.host);
    const tag = row.change === 1 ? make("span", { class: "tag" }, "new") : row.change === 2 ? make("span", { class: "tag" }, "changed") : null;
    const made = make("tr", { "data-host": row.host },
      make("td", {}, link, tag),
      row.columns.map((value, number) => make("td", { "data-label": head.columns[number] }, value)),
      make("td", {}, state(row.state)),
      make("td", { "data-label": "Recoverable" }, words(row.recoverable)),
      make("td", { class: "why" }, row.why),
      make("td", { "data-label": "macOS" }, read ? `${row.macos}${row.chip ? "" : " (Intel)"}` : null),
      make("td", { "data-label": "Holders" }, read ? `${row.holders.length} of ${row.accounts}` : null),
      make("td", { "data-label": "FileVault" }, read ? words(row.filevault) : null),
      make("td", { "data-label": "Bootstrap Token" }, read ? words(row.bootstrap) : null),
      make("td", { "data-label": "Broken rules" }, row.broken.length ? String(row.broken.length) : null));
    made.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      location.hash = `mac=${encodeURIComponent(row.host)}`;
    });
    return made;
  };

  let size = PAGE;
  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / size));
    chosen.page = Math.min(chosen.page, pages - 1);
    const body = document.querySelector("#macs tbody");
    body.replaceChildren(...shown.slice(chosen.page * size, (chosen.page + 1) * size).map(line));
    find("count").textContent = shown.length === rows.length ? `${many(rows.length)} Macs` : `${many(shown.length)} of ${many(rows.length)} Macs`;
    find("page").textContent = `page ${chosen.page + 1} of ${pages}`;
    document.querySelector(".pager").hidden = pages === 1;
    find("back").disabled = chosen.page === 0;
    find("forth").disabled = chosen.page === pages - 1;
    find("reset").hidden = !(chosen.states.size || chosen.rule !== null || chosen.text || chosen.changed);
  };

  const choose = () => {
    const wanted = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows.filter((row) =>
      (!chosen.states.size || chosen.states.has(row.state)) &&
      (chosen.rule === null || row.broken.includes(chosen.rule)) &&
      (!chosen.changed || row.change) &&
      wanted.every((word) => row.text.includes(word)));
    const compare = by[chosen.sort];
    const sign = chosen.down ? -1 : 1;
    shown.sort((a, b) => sign * compare(a, b) || names.compare(a.host, b.host));
    for (const cell of document.querySelectorAll("th[data-sort]")) {
      if (cell.dataset.sort === chosen.sort) cell.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    for (const chip of document.querySelectorAll("#states button")) {
      chip.setAttribute("aria-pressed", String(chosen.states.has(Number(chip.dataset.state))));
    }
    for (const rule of document.querySelectorAll("#rules button")) {
      rule.setAttribute("aria-pressed", String(chosen.rule === Number(rule.dataset.rule)));
    }
    chosen.page = 0;
    draw();
  };

  const unpacked = new Map();
  const unpack = async (number) => {
    if (!unpacked.has(number)) {
      const bytes = Uint8Array.from(atob(find(`chunk-${number}`).textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(number, JSON.parse(await new Response(stream).text()));
    }
    return unpacked.get(number);
  };

  const said = (value, yes = "yes", no = "no") => (value === null || value === undefined ? "unknown" : value ? yes : no);
  const day = (seconds) => (seconds === null || seconds === undefined ? "unknown" : new Date(seconds * 1000).toISOString().slice(0, 10));
  const fact = (title, value) => make("div", {}, make("dt", {}, title), make("dd", {}, value));
  const source = (value) => make("td", { class: value === null ? "no" : value ? "yes" : "no" }, said(value));

  const quoted = (host) => (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(host) ? host : `'${host.replaceAll("'", `'"'"'`)}'`);
  const finding = (found, host) => {
    const rule = head.rules.find((one) => one.id === found.rule);
    const exemption = found.exemption || found.expired_exemption;
    const where = Object.entries(rule.references).map(([name, list]) => `${words(name)}: ${list.join(", ")}`).join("; ");
    return make("div", { class: `finding ${rule.severity}` },
      make("p", {}, make("span", { class: `severity ${rule.severity}` }, rule.severity), " ", make("b", {}, rule.title), " ", make("code", {}, rule.id)),
      (found.found || []).map((text) => make("p", {}, text)),
      exemption ? make("p", { class: "muted" }, `${found.exemption ? "exempt" : "no longer exempt"}, by ${exemption.by} until ${exemption.until}: ${exemption.why}`) : null,
      found.result === "fail" ? make("p", { class: "muted" }, rule.rationale) : null,
      found.result === "fail" ? make("p", {}, `What to do: ${rule.remedy}`) : null,
      (found.commands || []).map((run) => make("p", {}, make("code", {}, [`ansible-playbook ${run}`, head.inventory, "--limit", quoted(host)].filter(Boolean).join(" ")))),
      found.result === "fail" && where ? make("p", { class: "muted" }, where) : null);
  };

  const accounts = (mac) => {
    const titles = ["Account", "Full name", "Kind", "Secure Token", "Directory", "Crypto user", "FileVault", "Volume owner", "Password set on", "Failed logins"];
    return make("div", { class: "wide" }, make("table", {},
      make("thead", {}, make("tr", {}, titles.map((title) => make("th", { scope: "col" }, title)))),
      make("tbody", {}, mac.accounts.map((one) => make("tr", {},
        make("td", {}, make("b", {}, one.name), one.hidden ? make("span", { class: "tag" }, "hidden") : null, one.disabled ? make("span", { class: "tag" }, "disabled") : null),
        make("td", {}, one.full_name),
        make("td", {}, `${one.admin ? "admin" : "standard"}${one.kind === "local" ? "" : `, ${one.kind}`}`),
        make("td", { class: one.secure_token === "phantom" ? "odd" : one.secure_token === "holder" ? "yes" : "" }, one.secure_token),
        source(one.sources.authority), source(one.sources.crypto_user), source(one.sources.filevault_list),
        make("td", {}, one.volume_owner === null ? "" : said(one.volume_owner)),
        make("td", {}, one.password_set ? day(one.password_changed) : "none set"),
        make("td", {}, one.failed_logins === null ? "unknown" : String(one.failed_logins)))))));
  };

  const changed = (change) => {
    if (!change) return null;
    const parts = [];
    if (!change.was) parts.push("It was not among the Macs.");
    else if (change.was !== change.now) parts.push(`It was: ${head.titles[change.was]}.`);
    for (const [title, key] of [["Broken since", "broken"], ["Mended", "mended"], ["Holders gained", "holders_gained"], ["Holders lost", "holders_lost"]]) {
      if (change[key].length) parts.push(`${title}: ${change[key].join(", ")}.`);
    }
    return parts.length ? [make("h3", {}, `Since ${head.since.slice(0, 10)}`), parts.map((text) => make("p", {}, text))] : null;
  };

  const details = (row, entry) => {
    const mac = entry.mac;
    const close = make("button", { type: "button", "aria-label": "Close", click: () => { find("mac").close(); } }, "✕");
    const top = make("div", { class: "top" },
      make("div", {}, make("h2", { id: "mac-title" }, entry.host), make("p", {}, state(row.state)), make("p", {}, entry.why)), close);
    if (!mac) {
      return [top, entry.remedy ? make("p", {}, `What to do: ${entry.remedy}`) : null, entry.evidence ? make("p", { class: "muted" }, make("code", {}, entry.evidence)) : null, entry.reason ? make("p", {}, "Reason code: ", make("code", {}, entry.reason)) : null, changed(entry.change)];
    }
    const of = (result) => entry.findings.filter((found) => found.result === result);
    const order = (found) => head.severities.indexOf(head.rules.find((one) => one.id === found.rule).severity);
    const failed = of("fail").sort((a, b) => order(a) - order(b));
    const kept = of("pass").map((found) => found.rule);
    const group = (title, list) => (list.length ? [make("h3", {}, title), list.map((found) => finding(found, entry.host))] : null);
    return [
      top,
      make("dl", { class: "facts" },
        fact("Recoverable", words(entry.recoverable)),
        fact("Compliant", words(entry.compliant)),
        row.columns.map((value, number) => fact(head.columns[number], value || "not said")),
        fact("macOS", `${mac.os.version} (${mac.os.build})`),
        fact("Hardware", `${mac.hardware.model || "unknown"}, ${mac.hardware.apple_silicon ? "Apple silicon" : "Intel"}${mac.hardware.virtual ? ", virtual" : ""}`),
        fact("Can grant tokens", mac.granters.join(", ") || (mac.recoverable === "pending" ? `nobody before ${mac.waiting_admins.join(" or ")} has logged in at the screen` : "nobody")),
        fact("FileVault", `${words(mac.filevault.state)}${mac.filevault.percent === null ? "" : ` (${mac.filevault.percent} %)`}`),
        fact("Personal recovery key", said(mac.filevault.personal_recovery_key, "present", "none")),
        mac.filevault.recovery_key_escrowed_at === undefined ? null : fact("Key escrowed on", mac.filevault.recovery_key_escrowed_at === 0 ? "never" : day(mac.filevault.recovery_key_escrowed_at)),
        mac.filevault.recovery_key_holder === undefined ? null : fact("Key is with", `${words(mac.filevault.recovery_key_holder)} (${mac.filevault.recovery_key_evidence.join("; ")})`),
        mac.recovery_lock === undefined ? null : fact("Recovery Lock", words(mac.recovery_lock)),
        mac.full_disk_access === undefined ? null : fact("Full Disk Access", said(mac.full_disk_access, "yes", "no")),
        fact("Bootstrap Token", words(mac.management.bootstrap_token)),
        fact("Device management", mac.management.enrolled ? mac.management.server || "enrolled" : said(mac.management.enrolled, "", "not enrolled")),
        fact("Read at", entry.read_at ? entry.read_at.replace("T", " ").replace("Z", " UTC") : "unknown")),
      changed(entry.change),
      group("Broken rules", failed),
      make("h3", {}, "Accounts, and what each source says of their token"),
      accounts(mac),
      mac.orphaned_crypto_users.length ? [make("h3", {}, "Crypto users of nobody here"), mac.orphaned_crypto_users.map((uuid) => make("p", {}, make("code", {}, uuid)))] : null,
      mac.pending.length ? [make("h3", {}, "Not finished"), mac.pending.map((work) => make("p", {}, work))] : null,
      mac.missing.length ? [make("h3", {}, "Could not be read"), mac.missing.map((missing) => make("p", {}, missing.what, ": ", make("code", {}, missing.evidence)))] : null,
      group("Exempt", of("exempt")),
      group("The reading does not tell", of("unknown")),
      kept.length ? [make("h3", {}, "Kept"), make("p", { class: "muted" }, kept.join(", "))] : null,
    ];
  };

  const follow = async () => {
    const dialog = find("mac");
    const asked = location.hash.startsWith("#mac=") ? decodeURIComponent(location.hash.slice(5)) : null;
    const row = asked === null ? undefined : rows.find((one) => one.host === asked);
    if (!row) {
      if (dialog.open) dialog.close();
      return;
    }
    const chunk = await unpack(Math.floor(row.index / head.chunk));
    find("mac-content").replaceChildren(...details(row, chunk[row.index % head.chunk]).flat(2).filter(Boolean));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };

  find("mac").addEventListener("close", () => { if (location.hash) history.replaceState(null, "", location.pathname + location.search); });
  find("mac").addEventListener("click", (event) => { if (event.target === find("mac")) find("mac").close(); });
  window.addEventListener("hashchange", follow);
  for (const cell of document.querySelectorAll("th[data-sort]")) {
    cell.querySelector("button").addEventListener("click", () => {
      const same = chosen.sort === cell.dataset.sort;
      chosen.down = same ? !chosen.down : ["score", "holders", "broken"].includes(cell.dataset.sort);
      chosen.sort = cell.dataset.sort;
      choose();
    });
  }
  for (const chip of document.querySelectorAll("#states button")) {
    chip.addEventListener("click", () => {
      const number = Number(chip.dataset.state);
      if (!chosen.states.delete(number)) chosen.states.add(number);
      choose();
    });
  }
  for (const rule of document.querySelectorAll("#rules button")) {
    rule.addEventListener("click", () => {
      const number = Number(rule.dataset.rule);
      chosen.rule = chosen.rule === number ? null : number;
      choose();
    });
  }
  let waiting = 0;
  find("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { chosen.text = event.target.value; choose(); }, 80);
  });
  if (find("changed")) find("changed").addEventListener("change", (event) => { chosen.changed = event.target.checked; choose(); });
  find("reset").addEventListener("click", () => {
    chosen.states.clear();
    chosen.rule = null;
    chosen.text = find("search").value = "";
    chosen.changed = false;
    if (find("changed")) find("changed").checked = false;
    choose();
  });
  // Paper has no next page of this table: all Macs that are chosen are on it, and no dialog.
  window.addEventListener("beforeprint", () => { size = Math.max(PAGE, shown.length); draw(); });
  window.addEventListener("afterprint", () => { size = PAGE; draw(); });
  const turn = (by_) => { chosen.page += by_; draw(); find("macs").scrollIntoView(); };
  find("back").addEventListener("click", () => turn(-1));
  find("forth").addEventListener("click", () => turn(1));
  find("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  choose();
  follow();
})();
