"""Lexicon, phonetic decision tree, n-gram language models, and decoding graphs in OpenFst's format."""
