/**
 * An LSTM layer (Hochreiter and Schmidhuber 1997; projected: Sak et al. 2014), then layer normalisation (Ba et al. 2016).
 */
export class Lstm {
  /**
   * @param {object} layer
   * @param {Product} layer.input of frames, to the gates (4 × cells): input, output, forget, cell
   * @param {Product} layer.recurrent of the state, to the gates
   * @param {?Product} layer.projection of what the cells tell, to the state; null: they are the state
   * @param {Float32Array} layer.bias (4 × cells,)
   * @param {{weight: Float32Array, bias: Float32Array, epsilon: number}} layer.norm
   */
  constructor(layer) {
    Object.assign(this, layer);
    this.cells = layer.bias.length / 4;
    this.outputs = layer.norm.weight.length;
  }

  /** @returns {{hidden: Float32Array, cell: Float32Array}} (outputs,) and (cells,) before anything was heard */
  still() {
    return { hidden: new Float32Array(this.outputs), cell: new Float32Array(this.cells) };
  }

  /**
   * @param {Float32Array} frames (frames × width,)
   * @param {{hidden: Float32Array, cell: Float32Array}} state before them; is overwritten with the one after
   * @returns {Float32Array} (frames × outputs,) normalised
   */
  run(frames, state) {
    const gates = this.input.of(frames);
    const count = frames.length / this.input.width;
    const found = new Float32Array(count * this.outputs);
    for (let frame = 0; frame < count; frame++) {
      this.#step(gates.subarray(frame * 4 * this.cells, (frame + 1) * 4 * this.cells), state);
      this.#normalise(state.hidden, found.subarray(frame * this.outputs, (frame + 1) * this.outputs));
    }
    return found;
  }

  #step(gates, state) {
    const { cells, bias } = this;
    const again = this.recurrent.of(state.hidden);
    const gate = (at) => Math.fround(gates[at] + bias[at]) + again[at];
    const told = new Float32Array(cells);
    for (let i = 0; i < cells; i++) {
      const input = sigmoid(gate(i));
      const output = sigmoid(gate(cells + i));
      const forget = sigmoid(gate(2 * cells + i));
      state.cell[i] = forget * state.cell[i] + input * Math.tanh(gate(3 * cells + i));
      told[i] = output * Math.tanh(state.cell[i]);
    }
    state.hidden = this.projection ? this.projection.of(told) : told;
  }

  #normalise(values, into) {
    const { weight, bias, epsilon } = this.norm;
    let mean = 0;
    for (const value of values) mean += value / values.length;
    let variance = 0;
    for (const value of values) variance += (value - mean) ** 2 / values.length;
    const scale = 1 / Math.sqrt(variance + epsilon);
    for (let i = 0; i < values.length; i++) into[i] = (values[i] - mean) * scale * weight[i] + bias[i];
  }
}

function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}
