import { joined } from "./joined.js";

/**
 * How an utterance ends, all in seconds: the run-time's own choice (endpointing.py).
 *
 * @typedef {object} Patience
 * @property {number} piece of audio that is searched at once
 * @property {number} pause of silence after words; 0: it ends with the audio
 * @property {number} idle of silence without a word, which is then forgotten; 0: never
 * @property {number} longest an utterance is ended here whatever is said
 */
export const PATIENCE = { piece: 0.3, pause: 0.8, idle: 5, longest: 30 };

/**
 * Audio as it arrives to utterances, which pauses or their length end.
 *
 * @typedef {object} News
 * @property {boolean} final the utterance has ended, and its words stay
 * @property {number} start of the utterance, seconds from the beginning of the audio
 * @property {string[]} words
 * @property {boolean} rejected there were words, too unsure to be told
 * @property {boolean} empty the search found no way through its graph
 */
export class Listening {
  /**
   * @param {import("./recogniser.js").Recogniser} recogniser
   * @param {Patience} patience
   */
  constructor(recogniser, patience = PATIENCE) {
    this.recogniser = recogniser;
    this.patience = patience;
    this.piece = Math.round(patience.piece * recogniser.rate); // samples
    this.waiting = new Float32Array(0);
    this.start = 0; // sample at which the utterance begins
    this.utterance = recogniser.utterance();
    this.told = false;
  }

  /**
   * @param {Float32Array} samples (length,) of any length, in ±1
   * @returns {Generator<News>} one whenever words change or stay
   */
  *hear(samples) {
    let left = joined([this.waiting, samples]);
    for (; left.length >= this.piece; left = left.subarray(this.piece)) {
      const changed = this.utterance.hear(left.subarray(0, this.piece));
      if (this.#over()) yield* this.#ended();
      else if (changed) yield this.#news({ words: this.utterance.soFar(), rejected: false, empty: false }, false);
    }
    this.waiting = left.slice();
  }

  /** @returns {Generator<News>} the last utterance, when nothing follows; without words only if there was no other */
  *finish() {
    this.utterance.hear(this.waiting);
    yield* this.#ended(!this.told);
  }

  *#ended(always = false) {
    const last = this.utterance.finish();
    if (always || last.words.length || last.empty || last.rejected) {
      this.told = true;
      yield this.#news(last, true);
    }
    this.start += this.utterance.samples;
    this.utterance = this.recogniser.utterance();
  }

  #news(heard, final) {
    return { ...heard, final, start: this.start / this.recogniser.rate };
  }

  #over() {
    const { pause, idle, longest, piece } = this.patience;
    const most = this.utterance.begun ? pause : idle;
    const { quiet, samples } = this.utterance;
    return (most > 0 && most <= quiet) || samples / this.recogniser.rate + piece > longest;
  }
}
