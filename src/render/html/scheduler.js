"use strict";

// The reader is the scheduler: walks the graph of states, and sees what may still come.
(() => {
  const graph = JSON.parse(document.getElementById("graph").textContent);
  const by = (id) => document.getElementById(id);
  const isModel = graph.source === "model";
  const way = isModel ? "way to go on" : "order that was run";
  const ways = isModel ? "ways to go on" : "orders that were run";

  // The moves so far.
  let path = [];
  const here = () => (path.length ? path[path.length - 1].to : 0);
  const state = () => graph.states[here()];
  const written = () => path.map((move) => move.choice).join("");
  const findings = () => state().findings.map((place) => graph.findings[place]);

  // From each state, the fewest steps to a finding; none if none can be reached.
  const distance = (() => {
    const steps = new Array(graph.states.length).fill(undefined);
    const before = graph.states.map(() => []);
    graph.states.forEach((from, number) => {
      for (const move of from.moves) if (move.to !== null) before[move.to].push(number);
    });
    let edge = graph.states.flatMap((one, number) => (one.findings.length ? [number] : []));
    for (const number of edge) steps[number] = 0;
    for (let length = 1; edge.length; length += 1) {
      const next = [];
      for (const number of edge) {
        for (const from of before[number]) {
          if (steps[from] === undefined) {
            steps[from] = length;
            next.push(from);
          }
        }
      }
      edge = next;
    }
    return steps;
  })();

  const element = (name, classes, text) => {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const count = (number, one, more) =>
    `${number < 1e15 ? number.toLocaleString("en") : number.toExponential(2)} ${number === 1 ? one : more}`;

  function choose(move) {
    if (!move || move.to === null) return;
    path.push(move);
    arrived();
  }

  function undo() {
    if (path.length) path.pop();
    arrived();
  }

  function restart() {
    path = [];
    arrived();
  }

  function hint() {
    const best = distance[here()];
    if (findings().length) return tell("It is broken already.");
    if (best === undefined) {
      const far = graph.cut ? "Nothing goes wrong in what this page holds from here." :
        !state().futures ? "No state from here on has a finding, but some schedules never end." :
        isModel ? "Nothing goes wrong from here, whatever comes next." :
        "Nothing went wrong in the orders that were run from here.";
      return tell(far);
    }
    const next = state().moves.find((move) => move.to !== null && distance[move.to] === best - 1);
    return tell(`${next.choice} next: it can be broken in ${count(best, "step", "steps")}.`);
  }

  function tell(text, classes) {
    const news = by("news");
    news.className = `news ${classes ?? ""}`;
    news.textContent = text;
  }

  // Shows the state that was reached, and notes it in the address.
  function arrived() {
    const address = path.length ? `#${encodeURIComponent(written())}` : location.pathname + location.search;
    history.replaceState(null, "", address);
    show();
    const found = findings();
    if (found.length) {
      const best = distance[0];
      const shorter = path.length > best ? `There is a shorter way: ${count(best, "step", "steps")}.` : "No way is shorter.";
      tell(`Broken! ${found.join("; ")}. ${isModel && !graph.cut ? shorter : ""}`, "bad");
    } else if (!state().moves.length) {
      tell("All is over, and nothing is broken. Undo, or start again.", "good");
    } else {
      tell("");
    }
  }

  function show() {
    const now = state();
    by("shelf").textContent = now.stock.length ? `Stock: ${now.stock.join(", ")}` : "";
    const sold = graph.clients.filter((name, client) => graph.statuses[now.clients[client]].about === "bought");
    by("sold").textContent = sold.length ? `Sold to: ${sold.join(", ")}` : "";
    by("held").replaceChildren(...now.held.map((text) => element("li", "", text)));
    showClients(now);
    showFutures(now);
    showHistory();
    by("undo").disabled = !path.length;
    by("restart").disabled = !path.length;
  }

  function showClients(now) {
    const focused = document.activeElement?.dataset?.choice;
    const cards = graph.clients.map((name, client) => {
      const status = graph.statuses[now.clients[client]];
      const card = element("div", status.left ? "card left" : "card");
      const title = name === "*" ? "Worker" : name;
      card.append(element("p", "name", title));
      const moves = now.moves.filter((move) => move.client === client);
      const step = moves.find((move) => move.choice === name);
      const button = element("button", "step", `${title}: ${status.about.replace(/^(about to|next:) /, "")}`);
      button.type = "button";
      button.disabled = !step || step.to === null;
      button.dataset.choice = name;
      if (step) button.addEventListener("click", () => choose(step));
      if (step && step.to === null) button.append(" (cut off here)");
      if (!step && !status.left && status.about !== "waits") button.append(isModel ? " (has to wait)" : " (not run from here)");
      card.append(button);
      for (const move of moves.filter((other) => other !== step)) {
        const fault = element("button", "", `${move.choice}: ${move.act}`);
        fault.type = "button";
        fault.disabled = move.to === null;
        fault.dataset.choice = move.choice;
        fault.addEventListener("click", () => choose(move));
        card.append(fault);
      }
      card.append(element("p", "quiet", status.knows ? `knows: ${status.knows}` : ""));
      return card;
    });
    by("clients").replaceChildren(...cards);
    // Who works by keyboard stays where they were.
    if (focused) {
      const again = by("clients").querySelector(`[data-choice="${CSS.escape(focused)}"]:enabled`);
      (again ?? by("clients").querySelector("button:enabled") ?? by("undo")).focus();
    }
  }

  function showFutures(now) {
    const futures = by("futures");
    futures.textContent = "";
    if (!now.moves.length) return;
    if (!now.futures) {
      const why = graph.cut ? "the graph is cut" : "some never end";
      futures.textContent = `In how many ${ways} from here something goes wrong is not known: ${why}.`;
      return;
    }
    const { all, broken } = now.futures;
    const share = all ? broken / all : 0;
    futures.textContent = `Of ${count(all, way, ways)} from here, something goes wrong in ${count(broken, "", "").trim()} (${Math.round(share * 100)} %).`;
    const bar = element("span", "bar");
    const part = element("i");
    part.style.width = `${share * 100}%`;
    bar.append(part);
    bar.setAttribute("aria-hidden", "true");
    futures.append(bar);
  }

  function showHistory() {
    const wide = graph.clients.length <= 6;
    const rows = path.flatMap((move) => move.rows.map((place) => graph.rows[place]));
    const hasStock = rows.some((row) => row.stock.length);
    const head = [
      ["step", ""],
      ...(wide ? graph.clients.map((name) => [name === "*" ? "worker" : name, "client"]) : [["who", "client"]]),
      ...graph.lanes.map((name) => [name, "thing"]),
      ...(hasStock ? [["stock after", "number"]] : []),
    ];
    const table = by("history");
    table.hidden = !rows.length;
    table.tHead.rows[0].replaceChildren(...head.map(([text, classes]) => {
      const cell = element("th", classes, text);
      cell.scope = "col";
      return cell;
    }));
    const marks = { reads: "R", writes: "W", locks: "L", unlocks: "U" };
    let number = 0;
    table.tBodies[0].replaceChildren(...rows.map((row) => {
      const made = element("tr");
      number += row.goes_on ? 0 : 1;
      const place = element("th", "", row.goes_on ? "" : String(number));
      place.scope = "row";
      made.append(place);
      if (wide) {
        for (const name of graph.clients) {
          const mine = name === row.actor;
          made.append(element("td", mine ? "client moves" : "client", mine ? row.did : ""));
        }
      } else {
        made.append(element("td", "client moves", `${row.actor} ${row.did}`));
      }
      for (const lane of graph.lanes) {
        const cell = element("td", "thing");
        const touch = (row.touches ?? []).find((one) => one.what === lane);
        if (touch) {
          const kind = touch.access === "unlocks" ? "locks" : touch.access;
          const mark = element("span", `mark ${kind}`, marks[touch.access]);
          mark.title = `${row.actor} ${touch.access} this`;
          cell.append(mark);
        }
        made.append(cell);
      }
      if (hasStock) made.append(element("td", "number", row.stock.join(", ")));
      return made;
    }));
  }

  // The schedule that the address names, as far as it can be followed.
  function follow(address) {
    let schedule = "";
    try {
      schedule = decodeURIComponent(address.replace(/^#/, ""));
    } catch {
      // Not an address of ours.
    }
    path = [];
    let at = 0;
    while (at < schedule.length) {
      const rest = schedule.slice(at);
      // `A20` is twenty steps of A; the 27th buyer is `a27`.
      const [many, letter, number] = /^([A-Z])(\d+)/.exec(rest) ?? [];
      if (many) {
        schedule = schedule.slice(0, at) + letter.repeat(Math.min(Number(number), 5000)) + rest.slice(many.length);
        continue;
      }
      const fitting = state().moves.filter((move) => rest.startsWith(move.choice) && move.to !== null);
      const move = fitting.sort((one, other) => other.choice.length - one.choice.length)[0];
      if (!move) break;
      path.push(move);
      at += move.choice.length;
    }
    return at === schedule.length ? "" : `The schedule in the address cannot be followed beyond its first ${count(path.length, "step", "steps")}.`;
  }

  by("undo").addEventListener("click", undo);
  by("restart").addEventListener("click", restart);
  by("hint").addEventListener("click", hint);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    const move = state().moves.find((one) => one.choice === key);
    if (move) choose(move);
    else if (key === "Backspace") undo();
    else if (key === "Home") restart();
    else if (key === "?") hint();
    else return;
    event.preventDefault();
  });
  addEventListener("hashchange", () => {
    const why = follow(location.hash);
    arrived();
    if (why) tell(why);
    by("scheduler").scrollIntoView();
  });

  by("board").hidden = false;
  const why = follow(location.hash);
  arrived();
  if (why) tell(why);
  if (location.hash) by("scheduler").scrollIntoView();
})();
