"""Lexicon, phonetic decision tree, n-grams, and their decoding graph in OpenFst's format."""
