/**
 * @param {Float32Array[]} parts
 * @returns {Float32Array} their numbers, one part after the other
 */
export function joined(parts) {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let from = 0;
  for (const part of parts) {
    whole.set(part, from);
    from += part.length;
  }
  return whole;
}
