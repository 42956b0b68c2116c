"""Validation: a staged batch is checked by Great Expectations before anyone can see it.

frames.py  what of a batch is checked, as pandas frames
suite.py   the expectations
checks.py  runs them on a frame
run.py     stores the results, lets the batch pass or rejects it
page.py    the results as one HTML page
"""
