from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from incidents import anomaly

from bartizan.explain import contributions

_anomalies = st.lists(
    st.tuples(
        st.sampled_from(["shop", "api", "", "blog"]),
        st.text(max_size=3),
        st.floats(0, 1e15),
        st.floats(0, 1e15) | st.just(float("nan")),
    ),
    min_size=1,
    max_size=150,
)


@given(_anomalies)
def test_shares_of_each_dimension_add_to_100_and_follow_the_deviation(rows) -> None:
    anomalies = [
        anomaly(at, {"webacl": webacl, "rule": rule}, value=value, expected=expected)
        for at, (webacl, rule, value, expected) in enumerate(rows)
    ]
    found = contributions(anomalies, ("webacl", "rule"))
    assert found == contributions(anomalies[::-1], ("webacl", "rule"))
    for position, dimension in enumerate(("webacl", "rule")):
        shares = {c.value: c.percent for c in found if c.dimension == dimension}
        assert sum(shares.values()) == 100
        deviation: dict[str, float] = defaultdict(float)
        for row in rows:
            expected = row[3] if row[3] == row[3] else 0.0
            deviation[row[position]] += abs(row[2] - expected)
        total = sum(deviation.values())
        if total > 0:
            for value, amount in deviation.items():
                assert abs(shares.get(value, 0) - 100 * amount / total) < 1 + 1e-6


def test_ties_go_to_the_first_names_and_order_is_largest_first() -> None:
    anomalies = [
        anomaly(at, {"country": country}, value=16.0, expected=6.0)
        for at, country in enumerate(["DE", "FR", "AT"])
    ]
    shares = [(c.value, c.percent) for c in contributions(anomalies, ("country",))]
    assert shares == [("AT", 34), ("DE", 33), ("FR", 33)]
