"""Shipping of students to devices: export, quantisation, costs and robustness there (`understudy.device` runs them)."""
