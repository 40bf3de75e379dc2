/**
 * In a thread of its own: the recogniser, so that the page answers while it computes.
 *
 * It is told {kind: "begin", rate}, then {kind: "hear", samples} again and again, then {kind: "end"}. It tells
 * {kind: "ready", about}, {kind: "news", news} (see endpointing.js), {kind: "pace", heard, busy} in seconds,
 * {kind: "ended"}, and {kind: "failed", why}.
 */
import { Listening } from "./endpointing.js";
import { readModel } from "./model.js";
import { Recogniser } from "./recogniser.js";
import { Resampler } from "./resample.js";

let recogniser;
let listening;
let resampler;
let heard; // samples
let busy; // seconds

async function fetched(name) {
  let why;
  try {
    const answer = await fetch(new URL(name, import.meta.url));
    if (answer.ok) return await answer.arrayBuffer();
    why = `${answer.status} ${answer.statusText}`.trim();
  } catch (error) {
    why = error.message;
  }
  throw new Error(`${name} must lie beside the page, got "${why}"; copy the whole folder again.`);
}

function hear(samples) {
  const begun = performance.now();
  for (const news of listening.hear(samples)) postMessage({ kind: "news", news });
  heard += samples.length;
  busy += (performance.now() - begun) / 1000;
  postMessage({ kind: "pace", heard: heard / recogniser.rate, busy });
}

const DEEDS = {
  begin({ rate }) {
    [heard, busy] = [0, 0];
    listening = new Listening(recogniser);
    resampler = new Resampler(rate, recogniser.rate);
  },
  hear({ samples }) {
    hear(resampler.hear(samples));
  },
  end() {
    hear(resampler.finish());
    for (const news of listening.finish()) postMessage({ kind: "news", news });
    postMessage({ kind: "ended" });
  },
};

onmessage = ({ data }) => {
  try {
    DEEDS[data.kind](data);
  } catch (error) {
    postMessage({ kind: "failed", why: error.message });
  }
};

try {
  const { about, arrays } = await readModel(fetched);
  recogniser = new Recogniser(about, arrays);
  const words = about.words.filter((word) => !/^[<#]/.test(word)).length; // <eps>, #0 and their like are none
  postMessage({ kind: "ready", about: { system: about.system, precision: about.precision, words } });
} catch (error) {
  postMessage({ kind: "failed", why: error.message });
}
