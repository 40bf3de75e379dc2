"""Large models that others trained, as ears: what a layer of theirs makes of speech, at our frames of 30 ms."""
