"""Pseudo-transcripts: what any recogniser wrote of unlabelled speech becomes senone labels, unless it is doubtful."""
