import { confidence } from "./confidence.js";
import { Features } from "./features.js";
import { Network } from "./network.js";
import { Search } from "./search.js";

/** A shipped student: samples in, words out. */
export class Recogniser {
  /**
   * @param {object} about model.json
   * @param {Object<string, ArrayBufferView>} arrays of model.bin, by name
   */
  constructor(about, arrays) {
    const { window, mean, deviation } = arrays;
    const [first, begin, weights] = ["first", "begin", "weights"].map((name) => arrays[`filters.${name}`]);
    this.features = { ...about.features, window, mean, deviation, filters: { first, begin, weights } };
    this.rate = about.features.rate;
    this.frame = (about.features.stack * about.features.shift) / this.rate; // seconds
    this.network = new Network(about.network, arrays);
    this.offset = arrays.offset;
    this.scale = about.search.scale;
    this.beams = { beam: about.search.beam, least: about.search.min_active, most: about.search.max_active };
    this.silences = new Set(about.search.silences);
    this.leastConfidence = about.search.least_confidence;
    this.graph = graphOf(about, arrays);
    this.about = about;
  }

  /** @returns {string[]} the words that outputs of the graph stand for */
  text(outputs) {
    const { words, sequence_base: base, sequences } = this.about;
    const ids = outputs.flatMap((output) => (output < base ? [output] : sequences[output - base]));
    return ids.map((id) => words[id]);
  }

  /** @param {Float32Array} logits (senones,) become scores for the search, where they lie */
  score(logits) {
    for (let i = 0; i < logits.length; i++) logits[i] = this.scale * Math.fround(logits[i] - this.offset[i]);
    return logits;
  }

  /** @returns {Utterance} a new one */
  utterance() {
    return new Utterance(this);
  }
}

/** From samples to words, a piece at a time. */
class Utterance {
  constructor(recogniser) {
    this.recogniser = recogniser;
    this.samples = 0;
    this.features = new Features(recogniser.features);
    this.network = recogniser.network.utterance();
    this.search = new Search(recogniser.graph, recogniser.beams);
    this.best = { labels: [], outputs: [] };
  }

  /**
   * @param {Float32Array} samples (length,) in ±1
   * @returns {boolean} whether the words have changed
   */
  hear(samples) {
    this.samples += samples.length;
    const before = this.best.outputs;
    if (this.#search(this.network.hear(this.features.hear(samples)))) {
      this.best = this.search.soFar() ?? { labels: [], outputs: [] };
    }
    return this.best.outputs.join() !== before.join();
  }

  /** Whether there are words. */
  get begun() {
    return this.best.outputs.length > 0;
  }

  /** Seconds of silence at the end of the best path. */
  get quiet() {
    const spoken = this.best.labels.findLastIndex((label) => !this.recogniser.silences.has(label));
    return this.recogniser.frame * (this.best.labels.length - 1 - spoken);
  }

  /** @returns {string[]} words that may still change */
  soFar() {
    return this.recogniser.text(this.best.outputs);
  }

  /**
   * @returns {{words: string[], empty: boolean, rejected: boolean}} all words; none where the search found no way, and
   *   none where they are too unsure to be told
   */
  finish() {
    this.#search(this.network.hear(this.features.finish()));
    this.#search(this.network.finish());
    const best = this.search.finish();
    if (!best) return { words: [], empty: true, rejected: false };
    const { silences, leastConfidence } = this.recogniser;
    const sure = best.outputs.length ? confidence(this.search.scores, best.labels, silences) : null;
    const rejected = sure !== null && leastConfidence !== null && sure < leastConfidence;
    return { words: rejected ? [] : this.recogniser.text(best.outputs), empty: false, rejected };
  }

  #search(logits) {
    for (const frame of logits) this.search.hear(this.recogniser.score(frame));
    return logits.length;
  }
}

/** @returns {import("./search.js").Graph} */
function graphOf(about, arrays) {
  const ends = new Float32Array(arrays["graph.begin"].length - 1).fill(Infinity);
  arrays["graph.ends"].forEach((state, i) => (ends[state] = arrays["graph.ends.costs"][i]));
  return {
    start: about.graph.start,
    begin: arrays["graph.begin"],
    labels: arrays["graph.labels"],
    outputs: arrays["graph.outputs"],
    targets: arrays["graph.targets"],
    costs: arrays["graph.costs"],
    ends,
  };
}
