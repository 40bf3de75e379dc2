"""Understudy: small acoustic models that learn from a large teacher's lattice-free soft targets."""
