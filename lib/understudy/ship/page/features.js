import { joined } from "./joined.js";
import { LogMels } from "./logmel.js";
import { Normaliser } from "./normalise.js";

/** Samples of one utterance to the stacked, normalised log-mels that the network hears. */
export class Features {
  /** @param {object} how `features` of model.json, with its arrays */
  constructor(how) {
    this.how = how;
    this.logMels = new LogMels(how);
    this.normaliser = new Normaliser(how.mean, how.deviation, how.online);
    this.begin = new Float32Array(0); // samples, until they are a stacked frame at least
    this.begun = false;
    this.waiting = []; // log-mels that make no stacked frame yet
  }

  /**
   * @param {Float32Array} samples (length,) the next ones, in ±1
   * @returns {Float32Array[]} (stack × mels,) of each stacked frame that is known by now
   */
  hear(samples) {
    if (!this.begun) {
      this.begin = samples = joined([this.begin, samples]);
      if (samples.length < this.how.stack * this.how.shift) return [];
      this.begun = true;
      this.begin = null;
    }
    return this.#stacked(this.logMels.hear(samples));
  }

  /** @returns {Float32Array[]} those at the end; one or two last 10 ms frames may make no stacked one */
  finish() {
    return this.begun ? this.#stacked(this.logMels.finish()) : [];
  }

  #stacked(frames) {
    const { stack, mels } = this.how;
    this.waiting.push(...frames);
    const found = [];
    while (this.waiting.length >= stack) {
      const stacked = new Float32Array(stack * mels);
      this.waiting.splice(0, stack).forEach((frame, i) => this.normaliser.next(frame, stacked, i * mels));
      found.push(stacked);
    }
    return found;
  }
}
