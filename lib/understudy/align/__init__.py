"""Flat start, Viterbi alignment, senone labels."""
