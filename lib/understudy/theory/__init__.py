"""A simulation of when a student beats its teacher, on data with known truth, and tests of our sketch's predictions."""
