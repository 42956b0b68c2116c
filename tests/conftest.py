"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about the machine, and about what runs beside it.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
