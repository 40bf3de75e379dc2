"""Features from large pre-trained speech encoders: the outputs of one layer, resampled to our frames of 30 ms."""
