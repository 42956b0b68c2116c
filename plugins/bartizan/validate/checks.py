"""Great Expectations: expectations on one frame after the other.

A `ValidationDefinition` works out on every run which metrics its expectations need, and stores what
they showed; for a batch that takes longer than the metrics themselves. Here that is worked out
once. The metrics and the judgement stay Great Expectations' own; a test compares the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.validator.metrics_calculator import MetricsCalculator

from bartizan.store.validations import CheckResult

# Counts and a few examples: what is shown. The default asks for the index of each row, too.
_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 3}


class Checks:
    """Expectations that are run on frames of the same columns."""

    def __init__(self, expectations: Sequence[Any]) -> None:
        self._expectations = expectations
        self._engine = PandasExecutionEngine()
        self._calculator = MetricsCalculator(self._engine)
        needed = [
            metric
            for expectation in expectations
            for metric in expectation.get_validation_dependencies(
                self._engine, _asked()
            ).get_metric_configurations()
        ]
        self._metrics = self._calculator.build_metric_dependency_graph(needed, _asked())

    def run(self, frame: pd.DataFrame) -> list[CheckResult]:
        """A result for each expectation, in their order."""
        self._engine.load_batch_data("staged", frame)
        values, failed = self._calculator.resolve_validation_graph(self._metrics, _asked())
        causes = [str(one["exception_info"].exception_message) for one in failed.values()]
        return [self._result(expectation, values, causes) for expectation in self._expectations]

    def _result(
        self, expectation: Any, values: Mapping[Any, Any], causes: Sequence[str]
    ) -> CheckResult:
        try:
            outcome = expectation.metrics_validate(values, _asked(), self._engine)
        except GreatExpectationsError as error:  # a metric that it needs could not be computed
            passed, observed = False, ("; ".join(causes) or str(error))[:500]
        else:
            passed, observed = bool(outcome.success), _observed(outcome.result)
        config = expectation.configuration
        kwargs = config.kwargs
        return CheckResult(
            expectation=config.type,
            subject=kwargs.get("column") or f"{kwargs['column_A']} = {kwargs['column_B']}",
            level=config.meta["level"],
            passed=passed,
            observed=observed,
        )


def _asked() -> dict[str, Any]:
    return {"result_format": dict(_FORMAT)}


def _observed(found: Mapping[str, Any]) -> str:
    """What was found, as one line; examples come from log records and are not to be trusted."""
    unexpected, rows = found.get("unexpected_count", 0), found.get("element_count", 0)
    text = f"{unexpected} of {rows} rows unexpected"
    examples = [repr(value) for value in found.get("partial_unexpected_list", [])]
    return f"{text}, such as {', '.join(examples)}"[:500] if examples else text
