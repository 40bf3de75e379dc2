"""The run-time of a device: audio to words with onnxruntime, kaldi-native-fbank, Kaldi's decoder and numpy alone.

Nothing here imports torch, k2 or the rest of this library: this package is copied into the folder that stage 12 makes,
and works there by itself.
"""
