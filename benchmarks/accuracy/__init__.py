"""Accuracy of detectors and of explanations, measured the same way for all."""
