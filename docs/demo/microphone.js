const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }; // as the network learnt

/** The microphone, until it is closed. */
export class Microphone {
  /**
   * Asks the person for it.
   *
   * @param {(samples: Float32Array) => void} tell is called with (length,) in ±1, again and again
   * @returns {Promise<Microphone>}
   * @throws {Error} the browser gives none, and why
   */
  static async open(tell) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error(
        `The page must come from https:// or localhost for a microphone, got ${location.origin}; serve the folder on ` +
          "this machine: python -m http.server",
      );
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...PLAIN } });
    } catch (error) {
      throw new Error(
        `The browser must give a microphone, got "${error.message}"; allow it for this page, or plug one in.`,
      );
    }
    const context = new AudioContext();
    await context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => tell(data);
    context.createMediaStreamSource(stream).connect(capture);
    return new Microphone(stream, context);
  }

  constructor(stream, context) {
    this.stream = stream;
    this.context = context;
    this.rate = context.sampleRate; // samples a second
  }

  /** Lets it go; nothing is told after. */
  async close() {
    for (const track of this.stream.getTracks()) track.stop();
    await this.context.close();
  }
}
