// What the modules of a page make of files, as JSON: node on_page.mjs FOLDER DEED FILE…
//
// FOLDER is of understudy.ship.web, with {"type": "module"} in a package.json beside it. Files are WAV, or float32
// numbers one after another.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [folder, deed, ...files] = process.argv.slice(2);
const ours = (name) => import(pathToFileURL(`${folder}/${name}`));
const bytes = async (path) => {
  const data = await readFile(path);
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
};
const { readModel } = await ours("model.js");
const { Recogniser } = await ours("recogniser.js");
const { Listening } = await ours("endpointing.js");
const { LogMels } = await ours("logmel.js");
const { Features } = await ours("features.js");
const { Search } = await ours("search.js");
const { Resampler } = await ours("resample.js");
const { readWav } = await ours("wav.js");

const numbers = async (path) => new Float32Array(await bytes(path));
const wav = async (path) => readWav(await bytes(path));
const pieces = (samples, length) =>
  Array.from({ length: Math.ceil(samples.length / length) }, (_, i) => samples.subarray(i * length, (i + 1) * length));
const rows = (values, width) => pieces(values.slice(), width);
const plain = (frames) => frames.map((frame) => [...frame]);

async function recogniser() {
  const { about, arrays } = await readModel((name) => bytes(`${folder}/${name}`));
  return new Recogniser(about, arrays);
}

const DEEDS = {
  async features(path) {
    const { features: how } = await recogniser();
    const { samples } = await wav(path);
    const [logMels, features] = [new LogMels(how), new Features(how)];
    const heard = (front) => plain([...pieces(samples, 777).flatMap((piece) => front.hear(piece)), ...front.finish()]);
    return { logMels: heard(logMels), features: heard(features) };
  },
  async scores(path) {
    const known = await recogniser();
    const utterance = known.network.utterance();
    const heard = rows(await numbers(path), known.network.width).flatMap((frame) => utterance.hear([frame]));
    const logits = [...heard, ...utterance.finish()];
    const before = plain(logits); // scores lie where logits did
    return { logits: before, scores: plain(logits.map((frame) => known.score(frame))) };
  },
  async paths(...paths) {
    const known = await recogniser();
    const found = [];
    for (const path of paths) {
      const search = new Search(known.graph, known.beams);
      const soFar = [];
      for (const frame of rows(await numbers(path), known.network.senones)) {
        search.hear(frame);
        soFar.push(search.soFar());
      }
      found.push({ soFar, final: search.finish() });
    }
    return found;
  },
  async events(...paths) {
    const known = await recogniser();
    const found = [];
    for (const path of paths) {
      const { samples } = await wav(path);
      const listening = new Listening(known);
      const events = [...pieces(samples, 1000).flatMap((piece) => [...listening.hear(piece)]), ...listening.finish()];
      found.push({ events });
    }
    return found;
  },
  async resampled(path, rate) {
    const { rate: from, samples } = await wav(path);
    const resampler = new Resampler(from, Number(rate));
    const heard = [...pieces(samples, 777).map((piece) => resampler.hear(piece)), resampler.finish()];
    return heard.flatMap((part) => [...part]);
  },
  async wav(path) {
    const { rate, channels, samples } = await wav(path);
    return { rate, channels, samples: [...samples] };
  },
};

try {
  console.log(JSON.stringify(await DEEDS[deed](...files)));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
