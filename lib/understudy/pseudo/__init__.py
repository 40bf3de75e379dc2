"""Pseudo-transcripts: any recogniser's transcripts of unlabelled speech are filtered and turned into senone labels."""
