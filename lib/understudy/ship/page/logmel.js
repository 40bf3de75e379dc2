import { PowerSpectrum } from "./fft.js";
import { joined } from "./joined.js";

/**
 * Log-mel energies of an utterance that arrives piece by piece.
 *
 * The arithmetic is Kaldi's (feature-fbank.cc, with snip_edges=false and without dither), window and filters are the
 * run-time's own numbers. Frame f is centred at (f + 1/2) shifts; what it lacks at either end is reflected there.
 */
export class LogMels {
  /**
   * @param {object} how `features` of model.json
   * @param {Float32Array} how.window (window length,) by which samples are multiplied
   * @param {{first: Uint16Array, begin: Uint16Array, weights: Float32Array}} how.filters for each of the mels its first
   *   bin, where its weights begin in `weights`, and all weights
   */
  constructor(how) {
    this.how = how;
    this.spectrum = new PowerSpectrum(how.fft);
    this.frame = new Float64Array(how.window.length);
    this.power = new Float64Array(how.fft / 2 + 1);
    this.kept = new Float32Array(0);
    this.keptFrom = 0; // number of the first sample that is kept
    this.heard = 0;
    this.told = 0; // frames
  }

  /**
   * @param {Float32Array} samples (length,) the next ones, in ±1
   * @returns {Float32Array[]} (mels,) of each frame whose window has been heard
   */
  hear(samples) {
    const { shift, window } = this.how;
    this.kept = joined([this.kept, samples.map((sample) => sample * this.how.scale)]);
    this.heard += samples.length;
    // The last sample of frame f is number first(f) + window - 1.
    const whole = Math.floor((this.heard - window.length - this.#first(0)) / shift) + 1;
    const frames = this.#frames(Math.min(whole, Math.floor((this.heard + shift / 2) / shift)));
    const unused = Math.max(0, this.#first(this.told) - this.keptFrom);
    this.kept = this.kept.slice(unused);
    this.keptFrom += unused;
    return frames;
  }

  /** @returns {Float32Array[]} (mels,) of each frame at the end, whose windows reach beyond the last sample */
  finish() {
    return this.#frames(Math.floor((this.heard + this.how.shift / 2) / this.how.shift));
  }

  /** Number of the first sample of a frame; negative at the beginning. */
  #first(frame) {
    return this.how.shift * frame + Math.floor(this.how.shift / 2) - this.how.window.length / 2;
  }

  #frames(until) {
    const frames = [];
    for (; this.told < until; this.told++) frames.push(this.#logMels(this.#first(this.told)));
    return frames;
  }

  #sample(number) {
    let at = number;
    while (at < 0 || at >= this.heard) at = at < 0 ? -at - 1 : 2 * this.heard - 1 - at;
    return this.kept[at - this.keptFrom];
  }

  #logMels(first) {
    const { frame, power } = this;
    const { window, filters, mels, preemphasis, least } = this.how;
    let mean = 0;
    for (let i = 0; i < frame.length; i++) mean += frame[i] = this.#sample(first + i);
    mean /= frame.length;
    for (let i = 0; i < frame.length; i++) frame[i] -= mean;
    for (let i = frame.length - 1; i >= 0; i--) frame[i] -= preemphasis * frame[Math.max(0, i - 1)];
    for (let i = 0; i < frame.length; i++) frame[i] *= window[i];
    this.spectrum.compute(frame, power);
    const energies = new Float32Array(mels);
    for (let mel = 0; mel < mels; mel++) {
      let energy = 0;
      for (let i = filters.begin[mel], bin = filters.first[mel]; i < filters.begin[mel + 1]; i++, bin++) {
        energy += filters.weights[i] * power[bin];
      }
      energies[mel] = Math.log(Math.max(energy, least));
    }
    return energies;
  }
}
