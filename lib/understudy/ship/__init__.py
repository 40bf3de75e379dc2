"""What brings a student to a device: export, quantisation, and what it costs there (`understudy.device` runs it)."""
