"""The dataset filter of Lookout for Metrics, `DimensionFilterList`."""

from __future__ import annotations

from typing import Any

from bartizan.described import wrong

FORM = "[{Name: country, FilterList: [{DimensionValue: DE, FilterOperation: EQUALS}]}]"


def given_filters(value: Any) -> dict[str, list[str]]:
    """Values by column, from the form that the API took; AND across names, OR across values.

    The guide printed another, `{"Country": [{"Value": …, "FilterOperation": "equals"}]}`, which the
    API refused, as this does.
    """
    if isinstance(value, dict):
        raise wrong(
            "is in the form that Lookout's guide prints and its API refuses", f"write {FORM}"
        )
    try:
        named = [(str(one["Name"]), one["FilterList"]) for one in value]
        wanted = [(name, item["DimensionValue"], item["FilterOperation"])
                  for name, items in named for item in items]  # fmt: skip
    except (KeyError, TypeError) as error:
        raise wrong("is no DimensionFilterList", f"write {FORM}") from error
    if odd := [operation for _, _, operation in wanted if operation != "EQUALS"]:
        raise wrong(f"FilterOperation {odd[0]!r} is unknown", "write EQUALS")
    filters: dict[str, list[str]] = {}
    for name, text, _ in wanted:
        filters.setdefault(name, []).append(text)
    return filters
