"""Errors come whole out of other processes."""

from __future__ import annotations

import pickle

import pytest

from bartizan.errors import BartizanError, ConfigError, TransientError


@pytest.mark.parametrize(
    "error",
    [ConfigError("a.yaml: key", "'x' is no number", "write 1"), TransientError("s3", "is busy")],
)
def test_an_error_survives_pickling(error: BartizanError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.thing, copy.remedy) == (str(error), error.thing, error.remedy)
