/**
 * The product of a matrix in 8 bits with vectors that are rounded to 8 bits too; the integers are those of the
 * run-time's network (MatMulInteger of ONNX), exactly.
 */
export class Product {
  /**
   * @param {Int8Array} weights (outputs × width,) row by row
   * @param {Float32Array} scales (outputs,) what a step of each row's weights is worth
   * @param {?[number, number]} fixed what a step of the vectors is worth, and the byte of their zero; null: as each call
   *   finds
   */
  constructor(weights, scales, fixed) {
    this.weights = weights;
    this.scales = scales;
    this.outputs = scales.length;
    this.width = weights.length / scales.length;
    this.fixed = fixed;
    this.rowSums = new Int32Array(this.outputs);
    for (let i = 0; i < weights.length; i++) this.rowSums[Math.floor(i / this.width)] += weights[i];
  }

  /**
   * @param {Float32Array} vectors (frames × width,); all share one step
   * @returns {Float32Array} (frames × outputs,)
   */
  of(vectors) {
    const { weights, scales, outputs, width, rowSums } = this;
    const [step, zero] = this.fixed ?? stepAndZero(vectors);
    const bytes = inBytes(vectors, step, zero);
    const frames = vectors.length / width;
    const found = new Float32Array(frames * outputs);
    for (let row = 0; row < outputs; row++) {
      const worth = Math.fround(step * scales[row]);
      for (let frame = 0; frame < frames; frame++) {
        let sum = -Math.imul(zero, rowSums[row]);
        for (let i = frame * width, at = row * width, end = at + width; at < end; i++, at++) {
          sum = (sum + Math.imul(bytes[i], weights[at])) | 0;
        }
        found[frame * outputs + row] = Math.fround(sum) * worth;
      }
    }
    return found;
  }
}

/** As DynamicQuantizeLinear of ONNX: 255 steps from the lowest to the highest number, of which zero is always one. */
function stepAndZero(values) {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const step = low === high ? 1 : Math.fround(Math.fround(high - low) / 255);
  return [step, Math.min(255, Math.max(0, even(Math.fround(-low / step))))];
}

function inBytes(values, step, zero) {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    bytes[i] = Math.min(255, Math.max(0, even(Math.fround(values[i] / step)) + zero));
  }
  return bytes;
}

/** The nearest whole number; of two as near the even one, as IEEE 754 rounds. */
function even(value) {
  const below = Math.floor(value);
  const above = value - below;
  if (above !== 0.5) return above < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
