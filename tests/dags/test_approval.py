"""Whatever is not a person's approval is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bartizan.orchestration.approval import APPROVE, REJECT, Answer, answer_of

DANA = {"id": "7", "name": "dana"}
MADE = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = {"responded_at": MADE + timedelta(minutes=9)}


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"chosen_options": [APPROVE], "responded_by_user": DANA}, Answer(True, "dana")),
        ({"chosen_options": [REJECT], "responded_by_user": DANA}, Answer(False, "dana")),
        ({"chosen_options": [REJECT], "responded_by_user": None}, Answer(False, "nobody")),
        ({"chosen_options": [APPROVE], "responded_by_user": None}, Answer(False, "nobody")),
        ({"chosen_options": [APPROVE, REJECT], "responded_by_user": DANA}, Answer(False, "dana")),
        ({"chosen_options": [], "responded_by_user": DANA}, Answer(False, "dana")),
        ({"responded_by_user": DANA | {"name": ""}}, Answer(False, "7")),
        ({}, Answer(False, "nobody")),
    ],
)
def test_only_a_persons_approval_is_one(
    told: dict[str, Any], answer: Answer, automatic: bool
) -> None:
    assert answer_of(told | LATER, MADE, automatic) == answer


def test_an_answer_to_an_earlier_plan_is_none_to_this_one() -> None:
    approved = {"chosen_options": [APPROVE], "responded_by_user": DANA}
    assert answer_of(approved | {"responded_at": MADE}, MADE, False).approved
    earlier = {"responded_at": MADE - timedelta(seconds=1)}
    assert answer_of(approved | earlier, MADE, False) == Answer(False, "dana")


def test_nobody_asked_is_approved_only_where_nobody_is_to_be_asked() -> None:
    assert answer_of(None, MADE, automatic=True) == Answer(True, "automatic")
    assert not answer_of(None, MADE, automatic=False).approved
