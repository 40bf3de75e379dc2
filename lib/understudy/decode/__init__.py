"""The search: log-posteriors and a decoding graph to words."""
