// The queue in a browser: what everyone else is told over /v1, and nothing more. Whatever comes from a
// text is put into the page as text, never as markup.

const WINDOW = 100;
const $ = (id) => document.getElementById(id);

/** Tasks by id, in the order in which they were submitted. */
const tasks = new Map();
let paused = false;
/** The task whose segments are shown. */
let shown = null;
/** The first segment of the window, and what is known of it, by number. */
let first = 1;
let segments = new Map();
let reading = 0;

// What is said to the server.

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => null);
  const error = told?.error;
  const words = error ? [error.message, error.remediation].filter(Boolean).join(". ") : `it answered ${answer.status}`;
  throw new Error(words);
}

function order(path) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
}

function complain(why) {
  const trouble = $("trouble");
  trouble.textContent = why ? String(why.message ?? why) : "";
  trouble.hidden = !why;
}

async function attempt(work) {
  try {
    await work();
    complain(null);
  } catch (why) {
    complain(why);
  }
}

const at = (id) => `v1/tasks/${encodeURIComponent(id)}`;

// What is told by the server. One stream for the whole page, and none while nobody sees it: a browser
// has few connections for one server.

let stream = null;

function follow() {
  stream?.close();
  stream = new EventSource("v1/events");
  stream.addEventListener("snapshot", async (event) => {
    const told = JSON.parse(event.data);
    const all = told.tasks;
    paused = told.queue_paused;
    while (told.more) {
      const page = (await ask(`v1/tasks?limit=1000&after=${encodeURIComponent(all.at(-1).id)}`)).tasks;
      all.push(...page);
      if (page.length < 1000) break;
    }
    tasks.clear();
    for (const task of all) tasks.set(task.id, task);
    if (shown && !tasks.has(shown)) close();
    drawAll();
    if (shown) readWindow();
    complain(null);
  });
  stream.addEventListener("delta", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("bye", () => {
    $("state").textContent = "aloud has ended. This page goes on when it is there again.";
  });
  stream.onerror = () => {
    $("state").textContent = "Not connected. Trying again …";
    // A stream that was refused is not begun again by the browser.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || follow(), 2000);
  };
}

function take(told) {
  if (told.event === "removed") {
    tasks.delete(told.task);
    if (shown === told.task) close();
    drawAll();
    return;
  }
  if (told.event === "queue_paused") paused = told.paused;
  const task = told.summary;
  const before = task && tasks.get(task.id);
  if (task) tasks.set(task.id, task);
  if (task && before) drawTask(task);
  else if (task) drawAll();
  drawState();
  if (!task || task.id !== shown) return;
  if (told.event === "segment_completed" || told.event === "segment_failed") {
    const known = segments.get(told.segment_id);
    if (known && told.event === "segment_completed") {
      Object.assign(known, { state: "completed", clip: told.clip, seconds: told.duration_seconds });
      drawSegment(known);
    } else if (known) {
      known.state = "failed";
      drawSegment(known);
    }
    playNextIfWaiting();
  } else if (told.event === "segment_started") {
    moveTo(told.segment_id);
  } else if (told.event !== "progress") {
    readWindow();
  }
}

// The queue.

const WORDS = { PENDING: "waits", PROCESSING: "in work", COMPLETED: "done", FAILED: "failed", CANCELLED: "cancelled" };

function how(task) {
  const waits = task.state === "PENDING";
  const begins = waits && task.due > Date.now() ? `begins ${new Date(task.due).toLocaleString()}` : null;
  const word = waits && task.paused ? "paused" : begins ?? WORDS[task.state];
  const left = task.state === "PROCESSING" && task.seconds_left ? `, about ${time(task.seconds_left)} left` : "";
  return `${word}, ${task.completed_segments} of ${task.planned_segments ?? task.progress.total}${left}`;
}

function time(seconds) {
  const all = Math.max(1, Math.round(seconds));
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${all % 60} s` : `${all} s`;
}

function drawState() {
  const open = [...tasks.values()].filter((task) => task.state === "PENDING" || task.state === "PROCESSING");
  const running = open.find((task) => task.state === "PROCESSING");
  let words = open.length ? `${open.length} in the queue` : tasks.size ? "All done" : "Idle";
  if (running) words = `Narrating “${running.title}”, ${running.percentage} %`;
  $("state").textContent = paused ? `Paused. ${words}` : words;
  $("hold").textContent = paused ? "Go on" : "Pause all";
  $("hold").hidden = false;
}

function drawAll() {
  const list = $("queue");
  const focused = document.activeElement?.id;
  const rows = [...tasks.values()].reverse().map((task) => {
    const row = document.createElement("li");
    row.id = `task-${task.id}`;
    const line = document.createElement("div");
    line.className = "row";
    const title = button("title", task.title, () => show(task.id));
    title.id = `title-${task.id}`;
    const words = document.createElement("span");
    words.className = "how";
    line.append(title, words);
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", `Progress of ${task.title}`);
    const why = document.createElement("p");
    why.className = "why";
    const actions = document.createElement("div");
    actions.className = "row actions";
    row.append(line, bar, why, actions);
    return row;
  });
  list.replaceChildren(...rows);
  for (const task of tasks.values()) drawTask(task);
  $("empty").hidden = tasks.size > 0;
  drawState();
  if (focused) $(focused)?.focus();
}

function button(name, words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}

function drawTask(task) {
  const row = $(`task-${task.id}`);
  if (!row) return;
  row.className = `${task.state}${task.id === shown ? " shown" : ""}`;
  row.querySelector(".how").textContent = how(task);
  row.querySelector("progress").value = task.percentage;
  const isOver = ["COMPLETED", "FAILED", "CANCELLED"].includes(task.state);
  const why = row.querySelector(".why");
  why.textContent = task.state === "CANCELLED" ? "" : (task.error?.message ?? "");
  why.hidden = !why.textContent;
  const wanted = isOver
    ? task.state === "COMPLETED" ? [] : [["retry", "Try again"]]
    : [[task.paused ? "resume" : "pause", task.paused ? "Go on" : "Pause"], ["cancel", "Cancel"]];
  const actions = row.querySelector(".actions");
  const key = wanted.map(([what]) => what).join();
  if (actions.dataset.key !== key) {
    actions.dataset.key = key;
    const made = wanted.map(([what, words]) => {
      const one = button(what, words, () => attempt(() => order(`${at(task.id)}/${what}`)));
      one.setAttribute("aria-label", `${words}: ${task.title}`);
      return one;
    });
    actions.replaceChildren(...made);
  }
  if (task.id === shown) drawHead(task);
}

// One narration.

function show(id) {
  shown = id;
  const task = tasks.get(id);
  first = windowOf(task.current_segment ?? 1);
  segments = new Map();
  $("task").hidden = false;
  for (const one of tasks.values()) drawTask(one);
  readWindow();
  $("task-title").scrollIntoView({ block: "nearest" });
}

function close() {
  shown = null;
  $("task").hidden = true;
  for (const one of tasks.values()) drawTask(one);
}

const windowOf = (segment) => Math.floor((segment - 1) / WINDOW) * WINDOW + 1;

function drawHead(task) {
  $("task-title").textContent = task.title;
  const whole = $("whole");
  whole.hidden = !(task.files?.length && task.state === "COMPLETED");
  whole.href = `${at(task.id)}/audio`;
  const all = task.planned_segments ?? 0;
  $("range").textContent = all ? `${first} to ${Math.min(all, first + WINDOW - 1)} of ${all}` : "";
  $("earlier").disabled = first <= 1;
  $("later").disabled = first + WINDOW > all;
}

async function readWindow() {
  const [id, from, turn] = [shown, first, ++reading];
  await attempt(async () => {
    const told = await ask(`${at(id)}/segments?from=${from}&limit=${WINDOW}`);
    // Someone may have turned the page meanwhile.
    if (turn !== reading || id !== shown) return;
    segments = new Map(told.segments.map((segment) => [segment.segment_id, segment]));
    $("segments").replaceChildren(...told.segments.map(segmentRow));
    told.segments.forEach(drawSegment);
    drawHead(tasks.get(id));
    playNextIfWaiting();
  });
}

function segmentRow(segment) {
  const row = document.createElement("li");
  row.id = `segment-${segment.segment_id}`;
  const line = button("", "", () => hear(shown, segment.segment_id));
  for (const name of ["number", "words", "how"]) {
    const part = document.createElement("span");
    part.className = name;
    line.append(part);
  }
  row.append(line);
  return row;
}

const STATES = { pending: "waits", processing: "in work", completed: "", failed: "failed" };

function drawSegment(segment) {
  const row = $(`segment-${segment.segment_id}`);
  if (!row) return;
  const isHeard = heard && heard.id === shown && heard.segment === segment.segment_id;
  row.className = `${segment.state}${segment.heading ? " heading" : ""}${isHeard ? " heard" : ""}`;
  row.querySelector(".number").textContent = segment.segment_id;
  row.querySelector(".words").textContent = segment.text;
  const words = segment.state === "completed" ? `${segment.seconds.toFixed(1)} s` : STATES[segment.state];
  row.querySelector(".how").textContent = words;
  row.querySelector("button").disabled = segment.state !== "completed";
}

/** The work has come to this segment. */
function moveTo(segment) {
  for (const known of segments.values()) {
    if (known.state === "processing" && known.segment_id !== segment) {
      known.state = "pending";
      drawSegment(known);
    }
  }
  const known = segments.get(segment);
  if (known && known.state !== "completed") {
    known.state = "processing";
    drawSegment(known);
  }
  const listens = heard?.id === shown;
  if ($("follow").checked && !listens && windowOf(segment) !== first) turnTo(windowOf(segment));
}

function turnTo(from) {
  first = from;
  readWindow();
}

// The player: one clip after the other, with the pauses between them, and waiting for the work where it
// has caught up with it.

let heard = null;
let pause = 0;
const audio = $("audio");

function hear(id, segment) {
  clearTimeout(pause);
  heard = { id, segment, waits: false };
  $("player").hidden = false;
  draw();
  audio.src = `${at(id)}/clips/${segment}`;
  audio.play().catch(() => {});
}

function draw() {
  if (!heard) return;
  const known = heard.id === shown ? segments.get(heard.segment) : null;
  if (known) $("spoken").textContent = known.text;
  const all = tasks.get(heard.id)?.planned_segments ?? 0;
  $("at").textContent = heard.waits
    ? `waiting for segment ${heard.segment} of ${all}`
    : `segment ${heard.segment} of ${all}`;
  $("play").textContent = audio.paused && !heard.waits ? "Play" : "Pause";
  for (const one of segments.values()) drawSegment(one);
  if (known) $(`segment-${heard.segment}`)?.scrollIntoView({ block: "nearest" });
}

/** Goes to another segment as soon as it has a clip. */
async function goTo(segment) {
  const task = heard && tasks.get(heard.id);
  if (!task || segment < 1 || segment > (task.planned_segments ?? 0)) return;
  heard.segment = segment;
  heard.waits = true;
  if (heard.id === shown && windowOf(segment) !== first) {
    turnTo(windowOf(segment));
    return;
  }
  playNextIfWaiting();
  draw();
}

async function playNextIfWaiting() {
  if (!heard?.waits) return;
  const { id, segment } = heard;
  let known = id === shown ? segments.get(segment) : null;
  if (!known) {
    const told = await ask(`${at(id)}/segments?from=${segment}&limit=1`).catch(() => null);
    known = told?.segments[0];
    if (!heard?.waits || heard.segment !== segment) return;
  }
  if (known?.state === "completed") hear(id, segment);
  else if (known?.state === "failed") goTo(segment + 1);
}

audio.addEventListener("ended", () => {
  const known = heard && heard.id === shown ? segments.get(heard.segment) : null;
  const { id, segment } = heard;
  pause = setTimeout(() => {
    if (heard?.id === id && heard.segment === segment) goTo(segment + 1);
  }, known?.pause_ms ?? 300);
});
audio.addEventListener("error", () => heard && complain("This clip can't be played: it may have been made anew or moved."));
for (const name of ["play", "pause"]) audio.addEventListener(name, draw);
$("play").addEventListener("click", () => {
  clearTimeout(pause);
  if (heard?.waits) {
    heard.waits = false;
    draw();
  } else if (audio.paused && audio.ended) goTo((heard?.segment ?? 0) + 1);
  else if (audio.paused) audio.play().catch(complain);
  else audio.pause();
});
$("previous").addEventListener("click", () => heard && goTo(heard.segment - 1));
$("next").addEventListener("click", () => heard && goTo(heard.segment + 1));

// Adding.

async function add(name, body) {
  const how = new URLSearchParams();
  // What is as the settings have it is left to them.
  if ($("voice").value) how.set("voice", $("voice").value);
  if ($("speed").value) how.set("speed", $("speed").value);
  const headers = { "content-type": "application/octet-stream", "x-aloud-name": encodeURIComponent(name) };
  return ask(`v1/tasks?${how}`, { method: "POST", headers, body });
}

async function addFiles(files) {
  for (const file of files) await add(file.name, file);
}

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const text = $("text").value;
    if (!text.trim() && !$("files").files.length) throw new Error("There is no text yet: type, paste or drop one.");
    $("send").disabled = true;
    try {
      await addFiles($("files").files);
      if (text.trim()) {
        const words = text.trim().split(/\s+/u).slice(0, 6).join(" ").replaceAll("/", " ");
        await add(`${words}.txt`, text);
      }
      $("add").reset();
      await readDefaults();
    } finally {
      $("send").disabled = false;
    }
  });
});

for (const name of ["dragover", "dragenter"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const { files } = event.dataTransfer;
  if (files.length) attempt(() => addFiles(files));
  else $("text").value += event.dataTransfer.getData("text/plain");
});

async function readDefaults() {
  const usual = await ask("v1/defaults");
  $("speed").value = usual.speed;
  const { voices } = await ask("v1/voices");
  const names = voices.filter((voice) => voice.installed).map((voice) => voice.name);
  if (!names.includes(usual.voice)) names.unshift(usual.voice);
  const choices = names.map((name) => {
    const choice = document.createElement("option");
    // Of a file, its name is enough.
    choice.textContent = name.split("/").at(-1).replace(/\.onnx$/u, "");
    choice.value = name === usual.voice ? "" : name;
    choice.selected = name === usual.voice;
    return choice;
  });
  $("voice").replaceChildren(...choices);
}

// The rest.

$("hold").addEventListener("click", () => attempt(() => order(`v1/queue/${paused ? "resume" : "pause"}`)));
$("close").addEventListener("click", close);
$("earlier").addEventListener("click", () => turnTo(first - WINDOW));
$("later").addEventListener("click", () => turnTo(first + WINDOW));
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, button");
  if (event.key === " " && !typing && heard) {
    event.preventDefault();
    $("play").click();
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) follow();
  else if (!heard) stream?.close();
});
attempt(readDefaults);
follow();
