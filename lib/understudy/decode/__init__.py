"""k2 search: log-posteriors and a decoding graph to words."""
