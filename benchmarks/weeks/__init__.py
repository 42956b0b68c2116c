"""Weeks of simulated traffic with labelled attacks, and what detectors make of them."""
