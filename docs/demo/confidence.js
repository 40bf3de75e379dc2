/**
 * By how much a frame of the best path is likelier than silence, in the mean over the frames that are not silence; the
 * run-time's confidence.py has the reasons.
 *
 * @param {Float32Array[]} scores (senones,) of each frame, as the search had them: in nats, scaled
 * @param {number[]} path senone of each frame
 * @param {Set<number>} silences senones of silence
 * @returns {?number} nats; null where all is silence
 */
export function confidence(scores, path, silences) {
  let sum = 0;
  let spoken = 0;
  path.forEach((senone, frame) => {
    if (silences.has(senone)) return;
    let silence = -Infinity;
    for (const silent of silences) silence = Math.max(silence, scores[frame][silent]);
    sum += scores[frame][senone] - silence;
    spoken += 1;
  });
  return spoken ? sum / spoken : null;
}
