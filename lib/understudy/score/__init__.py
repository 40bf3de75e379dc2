"""Scoring: word errors, confidence intervals, comparison of systems, reports."""
