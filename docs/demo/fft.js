/**
 * The power spectrum of a real signal, by Cooley and Tukey's radix-2 transform (1965) in double precision.
 */
export class PowerSpectrum {
  /** @param {number} size samples of a frame, a power of two */
  constructor(size) {
    this.size = size;
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    this.cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sines = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.reversed = bitsReversed(size);
  }

  /**
   * @param {Float64Array} frame (at most `size`,); zeros follow it
   * @param {Float64Array} power (size / 2 + 1,) is overwritten: squared magnitude of each bin
   */
  compute(frame, power) {
    const { size, real, imaginary, reversed } = this;
    imaginary.fill(0);
    for (let i = 0; i < size; i++) real[reversed[i]] = i < frame.length ? frame[i] : 0;
    for (let half = 1; half < size; half *= 2) this.#combine(half);
    for (let k = 0; k <= size / 2; k++) power[k] = real[k] ** 2 + imaginary[k] ** 2;
  }

  /** Pairs of spectra of `half` points become spectra of twice as many. */
  #combine(half) {
    const { size, real, imaginary, cosines, sines } = this;
    const step = size / (2 * half);
    for (let begin = 0; begin < size; begin += 2 * half) {
      for (let k = 0; k < half; k++) {
        const even = begin + k;
        const odd = even + half;
        const re = real[odd] * cosines[k * step] - imaginary[odd] * sines[k * step];
        const im = real[odd] * sines[k * step] + imaginary[odd] * cosines[k * step];
        real[odd] = real[even] - re;
        imaginary[odd] = imaginary[even] - im;
        real[even] += re;
        imaginary[even] += im;
      }
    }
  }
}

/** @returns {Uint32Array} (size,) each index with its bits in the opposite order */
function bitsReversed(size) {
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i++) reversed[i] = (reversed[i >> 1] >> 1) | (i & 1 ? size / 2 : 0);
  return reversed;
}
