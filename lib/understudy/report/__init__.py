"""A recipe's page: what was run, what came of it, and what it sounds and looks like."""
