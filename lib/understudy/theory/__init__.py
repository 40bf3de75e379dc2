"""When a student beats its teacher: a simulation on data with known truth, and what the sketch predicts of it."""
