from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bartizan.ui.tokens import Tokens

AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
OURS = Tokens(b"key")
names = st.text(max_size=30)


@given(names, st.integers(0, 24 * 3600))
def test_a_token_holds_for_a_day(name: str, seconds: int) -> None:
    assert OURS.holds(OURS.of(name, AT), name, AT + timedelta(seconds=seconds))


@given(names)
def test_a_token_is_too_old_after_a_day_and_not_of_tomorrow(name: str) -> None:
    token = OURS.of(name, AT)
    assert not OURS.holds(token, name, AT + timedelta(days=1, seconds=1))
    assert not OURS.holds(token, name, AT - timedelta(minutes=2))


@given(names, names)
def test_a_token_holds_for_nobody_else(name: str, other: str) -> None:
    assert OURS.holds(OURS.of(name, AT), other, AT) == (name == other)


@given(st.binary(min_size=1, max_size=40))
def test_only_our_key_signs(key: bytes) -> None:
    assert OURS.holds(Tokens(key).of("anna", AT), "anna", AT) == (key == b"key")


@given(st.text(max_size=90))
def test_what_is_no_token_holds_never(text: str) -> None:
    assert not OURS.holds(text, "anna", AT)


@given(st.integers(0, 80), st.characters())
def test_no_character_of_a_token_can_be_changed(position: int, char: str) -> None:
    token = OURS.of("anna", AT)
    at = position % len(token)
    changed = token[:at] + char + token[at + 1 :]
    assert OURS.holds(changed, "anna", AT) == (changed == token)


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Tokens(b"secret"))
