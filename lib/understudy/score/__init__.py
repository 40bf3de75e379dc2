"""Word errors, confidence intervals, comparison, reports."""
