/**
 * Normalises the log-mels of one utterance: off goes a mean that follows what is heard, then each channel is divided by
 * its deviation. The arithmetic, to the bit, is that of the run-time's normalise.py: sums in doubles, one frame after
 * another.
 */
export class Normaliser {
  /**
   * @param {Float32Array} mean (mels,) of the speech that the network learnt from
   * @param {Float32Array} deviation (mels,)
   * @param {?{prior: number, window: number, floor: number}} online how the mean follows: the 10 ms frames that `mean`
   *   counts for at the beginning, the past frames that count (0: all), and what log-mels are at least; null: it stays
   */
  constructor(mean, deviation, online) {
    this.mean = mean;
    this.deviation = deviation;
    this.online = online;
    this.heard = 0;
    // Sums over all frames up to each of the last ones; the place of frame n is n modulo their number.
    this.sums = online ? Array.from({ length: (online.window || 1) + 1 }, () => new Float64Array(mean.length)) : [];
  }

  /**
   * @param {Float32Array} logMels (mels,) of the next frame; floored where it lies
   * @param {Float32Array} into where the (mels,) normalised numbers go
   * @param {number} at their first place there
   */
  next(logMels, into, at) {
    if (this.online) {
      const floor = Math.fround(this.online.floor);
      for (let mel = 0; mel < logMels.length; mel++) logMels[mel] = Math.max(logMels[mel], floor);
      this.#follow(logMels, into, at);
      return;
    }
    for (let mel = 0; mel < logMels.length; mel++) {
      into[at + mel] = Math.fround(logMels[mel] - this.mean[mel]) / this.deviation[mel];
    }
  }

  #follow(logMels, into, at) {
    const { prior, window } = this.online;
    const places = this.sums.length;
    const before = this.sums[this.heard % places];
    this.heard += 1;
    const counted = window ? Math.min(this.heard, window) : this.heard;
    const gone = window ? this.sums[(this.heard - counted) % places] : null;
    const now = this.sums[this.heard % places];
    for (let mel = 0; mel < logMels.length; mel++) {
      now[mel] = before[mel] + logMels[mel];
      const mean = (prior * this.mean[mel] + (now[mel] - (gone ? gone[mel] : 0))) / (prior + counted);
      into[at + mel] = (logMels[mel] - mean) / this.deviation[mel];
    }
  }
}
