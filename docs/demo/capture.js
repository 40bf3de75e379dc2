/** In the audio thread: passes on what the microphone hears, (128,) float32 in ±1 at a time. */
class Capture extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
}

registerProcessor("capture", Capture);
