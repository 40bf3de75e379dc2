import { joined } from "./joined.js";
import { Lstm } from "./lstm.js";
import { Product } from "./product.js";

/** The acoustic model: features to a score for each senone, by LSTM layers whose numbers have 8 bits. */
export class Network {
  /**
   * @param {object} about `network` of model.json: layers, delay, piece, and `steps` of products whose vectors have
   *   fixed ones
   * @param {Object<string, ArrayBufferView>} arrays of model.bin, by name
   */
  constructor(about, arrays) {
    const product = (name) => new Product(arrays[name], arrays[`${name}.scale`], about.steps[name] ?? null);
    this.delay = about.delay;
    this.piece = about.piece;
    this.layers = about.layers.map(
      ({ projected, epsilon }, n) =>
        new Lstm({
          input: product(`lstm.${n}.w`),
          recurrent: product(`lstm.${n}.r`),
          projection: projected ? product(`lstm.${n}.p`) : null,
          bias: arrays[`lstm.${n}.b`],
          norm: { weight: arrays[`norm.${n}.weight`], bias: arrays[`norm.${n}.bias`], epsilon },
        }),
    );
    this.output = product("output");
    this.bias = arrays["output.b"];
    this.senones = this.bias.length;
    this.width = this.layers[0].input.width;
  }

  /** @returns {UtteranceState} a new one */
  utterance() {
    return new UtteranceState(this);
  }

  /**
   * @param {Float32Array} frames (frames × width,)
   * @param {object[]} states of the layers before them; are overwritten with those after
   * @returns {Float32Array} (frames × senones,) logits
   */
  run(frames, states) {
    const heard = this.layers.reduce((values, layer, n) => layer.run(values, states[n]), frames);
    const logits = this.output.of(heard);
    for (let i = 0; i < logits.length; i++) logits[i] += this.bias[i % this.senones];
    return logits;
  }
}

/**
 * Features to logits in step with them: the delay is taken out. The network hears pieces of the same length from an
 * utterance's beginning on, since all vectors of a piece may share the step that they are rounded to.
 */
class UtteranceState {
  constructor(network) {
    this.network = network;
    this.states = network.layers.map((layer) => layer.still());
    this.late = network.delay; // frames of output that tell of nothing yet
    this.waiting = [];
    this.last = null;
  }

  /**
   * @param {Float32Array[]} features (width,) of each next frame
   * @returns {Float32Array[]} (senones,) logits of each frame that is known by now
   */
  hear(features) {
    if (features.length) this.last = features[features.length - 1];
    this.waiting.push(...features);
    const { piece } = this.network;
    const found = [];
    while (this.waiting.length >= piece) found.push(...this.#logits(this.waiting.splice(0, piece)));
    return found;
  }

  /** @returns {Float32Array[]} (senones,) of the last frames: the last one is repeated to flush the delayed output */
  finish() {
    if (!this.last) return [];
    const found = this.hear(Array.from({ length: this.network.delay }, () => this.last));
    return this.waiting.length ? [...found, ...this.#logits(this.waiting.splice(0))] : found;
  }

  #logits(frames) {
    const { senones } = this.network;
    const logits = this.network.run(joined(frames), this.states);
    const early = Math.min(this.late, frames.length);
    this.late -= early;
    return frames.map((_, i) => logits.subarray(i * senones, (i + 1) * senones)).slice(early);
  }
}
