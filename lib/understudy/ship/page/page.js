/** What the person sees: a file or the microphone goes to the recogniser, its words come to the page. */
import { joined } from "./joined.js";
import { Microphone } from "./microphone.js";
import { readWav } from "./wav.js";

const PIECE = 0.1; // seconds of a file or of the microphone that are sent at once

const at = (id) => document.getElementById(id);
const [status, failure, listen, file, partial, final, pace] =
  ["status", "failure", "listen", "file", "partial", "final", "pace"].map(at);

let worker;
let microphone = null;
let heard = ""; // what the last words are of

function say(text) {
  status.textContent = text;
}

function fail(why) {
  failure.textContent = why;
  failure.hidden = false;
}

/** @param {boolean} idle whether something new can be heard; `listening`: the microphone is open, and can be closed */
function offer(idle, listening = false) {
  file.disabled = !idle;
  listen.disabled = !idle && !listening;
  listen.textContent = listening ? "Stop" : "Listen";
  listen.setAttribute("aria-pressed", String(listening));
}

function begin() {
  failure.hidden = true;
  final.replaceChildren();
  partial.textContent = "";
  pace.textContent = "";
}

const TOLD = {
  ready({ about }) {
    say(`Ready. This is ${about.system} (${about.precision}), which knows ${about.words.toLocaleString("en")} words.`);
    document.documentElement.dataset.ready = "true";
    offer(true);
  },
  news({ news }) {
    partial.textContent = news.final ? "" : news.words.join(" ");
    if (news.final) tellSentence(news);
  },
  pace({ heard, busy }) {
    if (!heard) return;
    const factor = (busy / heard).toFixed(3);
    pace.textContent = `${heard.toFixed(1)} s heard in ${busy.toFixed(2)} s: ${factor} of real time`;
  },
  ended() {
    say(`Ready. These are the words of ${heard}.`);
    offer(true);
  },
  failed({ why }) {
    fail(why);
    say("This cannot go on.");
    offer(false);
  },
};

function tellSentence({ start, words, rejected, empty }) {
  const row = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = `${start.toFixed(1)} s`;
  const text = document.createElement("span");
  text.textContent = words.join(" ");
  if (!words.length) {
    text.className = "none";
    text.textContent = rejected ? "words too unsure to be told" : empty ? "no way was found" : "no words";
  }
  row.append(time, text);
  final.append(row);
}

/** In pieces, so that words so far are seen. */
function send(samples, rate) {
  const length = Math.round(PIECE * rate);
  for (let from = 0; from < samples.length; from += length) {
    worker.postMessage({ kind: "hear", samples: samples.slice(from, from + length) });
  }
}

async function hearFile() {
  begin();
  try {
    const { rate, channels, samples } = readWav(await file.files[0].arrayBuffer());
    offer(false);
    heard = `${file.files[0].name}${channels > 1 ? `, the first of its ${channels} channels` : ""}`;
    say(`Hearing ${heard} …`);
    worker.postMessage({ kind: "begin", rate });
    send(samples, rate);
    worker.postMessage({ kind: "end" });
  } catch (error) {
    fail(error.message);
  }
  file.value = ""; // so that the same file can be chosen again
}

async function openMicrophone() {
  begin();
  offer(false);
  let waiting = [];
  let length = 0;
  const collect = (samples) => {
    waiting.push(samples);
    length += samples.length;
    if (!microphone || length < PIECE * microphone.rate) return;
    worker.postMessage({ kind: "hear", samples: joined(waiting) });
    [waiting, length] = [[], 0];
  };
  try {
    const opened = await Microphone.open(collect);
    worker.postMessage({ kind: "begin", rate: opened.rate });
    microphone = opened;
    heard = "the microphone";
    say("Listening. Say something.");
    offer(false, true);
  } catch (error) {
    fail(error.message);
    offer(true);
  }
}

async function closeMicrophone() {
  offer(false);
  await microphone.close();
  microphone = null;
  worker.postMessage({ kind: "end" });
}

worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => TOLD[data.kind](data);
worker.onerror = (error) => {
  const why = error.message ?? "a module that cannot be loaded";
  TOLD.failed({ why: `The browser must run the page's modules, got "${why}"; copy the whole folder again.` });
};
listen.addEventListener("click", () => (microphone ? closeMicrophone() : openMicrophone()));
file.addEventListener("change", hearFile);
