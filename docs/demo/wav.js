const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe; // the kind stands further behind
const READERS = {
  "1/16": (view, at) => view.getInt16(at, true) / 2 ** 15,
  "1/24": (view, at) => (view.getUint8(at) | (view.getInt16(at + 1, true) << 8)) / 2 ** 23,
  "1/32": (view, at) => view.getInt32(at, true) / 2 ** 31,
  "3/32": (view, at) => view.getFloat32(at, true),
};

/**
 * Samples of a WAV file: of 16, 24 or 32 bits, or floats; of several channels the first.
 *
 * @param {ArrayBuffer} bytes of the file
 * @returns {{rate: number, channels: number, samples: Float32Array}} rate in samples a second, samples (length,) in ±1
 * @throws {Error} it is none, or of another kind
 */
export function readWav(bytes) {
  const view = new DataView(bytes);
  const name = (at) => (at + 4 <= bytes.byteLength ? String.fromCharCode(...new Uint8Array(bytes, at, 4)) : "");
  if (name(0) !== "RIFF" || name(8) !== "WAVE") {
    throw new Error("The file must be WAV audio, got something else; convert it: ffmpeg -i recording speech.wav");
  }
  let format = null;
  for (let at = 12; at + 8 <= bytes.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (name(at) === "fmt " && at + 24 <= bytes.byteLength) format = readFormat(view, at + 8, size);
    if (name(at) === "data" && format) return readSamples(view, at + 8, size, format);
    at += 8 + size + (size % 2);
  }
  throw new Error("The file must hold samples, got a WAV header without any; record it again.");
}

function readFormat(view, at, size) {
  const told = view.getUint16(at, true);
  const kind = told === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : told;
  return {
    kind,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function readSamples(view, at, told, { kind, channels, rate, bits }) {
  const read = READERS[`${kind}/${bits}`];
  if (!read || !channels || !rate) {
    const found = `kind ${kind} of ${bits} bits, ${channels} channels, ${rate} Hz`;
    throw new Error(
      `The WAV file must be PCM (${PCM}) of 16, 24 or 32 bits or floats (${FLOAT}) of 32, got ${found}; ` +
        "convert it: ffmpeg -i recording -c:a pcm_s16le speech.wav",
    );
  }
  const frame = (channels * bits) / 8;
  const length = Math.floor(Math.min(told, view.byteLength - at) / frame); // a recorder that was stopped tells too many
  return { rate, channels, samples: Float32Array.from({ length }, (_, i) => read(view, at + i * frame)) };
}
