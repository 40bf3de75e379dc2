const DESCRIPTION = "model.json";
const NUMBERS = "model.bin";
const FORMAT = 1;
const KINDS = { int8: Int8Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };

/**
 * Reads what steps/ship_web.py wrote.
 *
 * @param {(name: string) => Promise<ArrayBuffer>} read the bytes of a file of the folder; fails with a sentence
 * @returns {Promise<{about: object, arrays: Object<string, ArrayBufferView>}>}
 * @throws {Error} a file is missing, cut off, or of another version
 */
export async function readModel(read) {
  const about = described(await read(DESCRIPTION));
  const bytes = await read(NUMBERS);
  if (bytes.byteLength !== about.bytes) {
    throw new Error(`${NUMBERS} must have ${about.bytes} bytes, got ${bytes.byteLength}; copy the whole folder again.`);
  }
  const arrays = {};
  for (const [name, { kind, length, at }] of Object.entries(about.arrays)) {
    arrays[name] = new KINDS[kind](bytes, at, length);
  }
  return { about, arrays };
}

function described(bytes) {
  let about;
  try {
    about = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(`${DESCRIPTION} must be JSON, got something else (${error.message}); copy the whole folder again.`);
  }
  if (about.format !== FORMAT) {
    throw new Error(
      `${DESCRIPTION} must be of format ${FORMAT}, got ${about.format}; make the folder again with steps/ship_web.py.`,
    );
  }
  return about;
}
