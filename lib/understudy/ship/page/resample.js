import { joined } from "./joined.js";

const CROSSINGS = 16; // of zero, of the sinc on each side (our choice)
const PASSED = 0.95; // share of the lower rate's band that passes; above it the window rolls off (our choice)

/**
 * Audio to another rate, piece by piece: interpolation by a sinc under a Hann window (Smith and Gossett 1984). Audio of
 * the right rate passes as it is.
 */
export class Resampler {
  /**
   * @param {number} from samples a second
   * @param {number} to samples a second
   */
  constructor(from, to) {
    this.step = from / to; // input samples between two output samples
    this.band = PASSED * Math.min(1, to / from);
    this.reach = Math.ceil(CROSSINGS / this.band); // input samples on each side
    this.passes = from === to;
    this.kept = new Float32Array(this.reach); // before the audio there is silence
    this.keptFrom = -this.reach; // number of its first sample
    this.told = 0;
    this.heard = 0;
  }

  /**
   * @param {Float32Array} samples (length,) the next ones
   * @returns {Float32Array} (length,) all that are known by now
   */
  hear(samples) {
    if (this.passes) return samples;
    this.heard += samples.length;
    return this.#tell(samples, this.heard - this.reach);
  }

  /** @returns {Float32Array} (length,) those at the end, after which there is silence */
  finish() {
    return this.passes ? new Float32Array(0) : this.#tell(new Float32Array(this.reach), this.heard);
  }

  /** All output samples that lie before an input sample. */
  #tell(more, before) {
    const samples = joined([this.kept, more]);
    const count = Math.max(0, Math.ceil(before / this.step) - this.told);
    const found = Float32Array.from({ length: count }, (_, i) => this.#at(samples, (this.told + i) * this.step));
    this.told += count;
    const unused = Math.max(0, Math.floor(this.told * this.step) - this.reach - this.keptFrom);
    this.kept = samples.slice(unused);
    this.keptFrom += Math.min(unused, samples.length);
    return found;
  }

  #at(samples, time) {
    const first = Math.ceil(time - this.reach);
    let sum = 0;
    for (let n = Math.max(first, this.keptFrom); n <= time + this.reach; n++) {
      const apart = (n - time) * this.band;
      const window = Math.abs(apart) < CROSSINGS ? 0.5 + 0.5 * Math.cos((Math.PI * apart) / CROSSINGS) : 0;
      const sinc = apart === 0 ? 1 : Math.sin(Math.PI * apart) / (Math.PI * apart);
      sum += (samples[n - this.keptFrom] ?? 0) * sinc * window;
    }
    return sum * this.band;
  }
}
