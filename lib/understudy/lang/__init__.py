"""Lexicon, topology, phonetic decision tree, n-grams, and the decoding graph in OpenFst's format."""
