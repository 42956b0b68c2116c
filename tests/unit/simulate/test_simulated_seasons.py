"""Traffic has a day, a week, restlessness and a noise floor: measured, not trusted."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from bartizan.simulate.flows import quiet_flows
from bartizan.simulate.seasons import SLOTS
from bartizan.simulate.sites import MOBILE, PARTNER, SHOP, SITES, Site

MONDAY = date(2026, 11, 2)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]
SEED = 5


def slot_counts(site: Site, day: date, ordinary: bool = True) -> np.ndarray:
    flows = quiet_flows(site, SEED, 70_000, day)
    return np.sum([f.counts(SEED, site, day) for f in flows if f.ordinary is ordinary], axis=0)


def test_a_week_has_the_volume_of_the_plan() -> None:
    records = sum(slot_counts(s, d, o).sum() for s in SITES for d in WEEK for o in (True, False))
    assert abs(records / 7 / 70_000 - 1) < 0.05


def test_business_rests_at_the_weekend_and_the_shop_does_not() -> None:
    volumes = {
        site.webacl: [slot_counts(site, day).sum() for day in WEEK] for site in (SHOP, PARTNER)
    }
    weekend = {name: np.mean(v[5:]) / np.mean(v[:5]) for name, v in volumes.items()}
    assert weekend["partner_api"] < 0.5
    assert weekend["shop-front"] > 1.15


def test_each_site_has_its_busy_hours() -> None:
    busiest = {
        site.webacl: int(slot_counts(site, MONDAY).reshape(24, 12).sum(axis=1).argmax())
        for site in (SHOP, PARTNER, MOBILE)
    }
    assert 17 <= busiest["shop-front"] <= 22
    assert 13 <= busiest["partner_api"] <= 17
    assert 6 <= busiest["mobile-graphql"] <= 12


def test_counts_are_over_dispersed_and_neighbouring_hours_alike() -> None:
    days = [MONDAY + timedelta(weeks=week) for week in range(12)]
    counts = np.array([slot_counts(SHOP, day) for day in days], dtype=float)
    dispersion = (counts.var(axis=0, ddof=1) / counts.mean(axis=0)).mean()
    assert 1.5 < dispersion < 6  # Poisson: 1
    hours = counts.reshape(len(days), 24, 12).sum(axis=2)
    residuals = hours / hours.mean(axis=0) - 1
    assert np.corrcoef(residuals[:, :-1].ravel(), residuals[:, 1:].ravel())[0, 1] > 0.2


def test_every_rule_has_a_noise_floor_without_wild_spikes() -> None:
    series: dict[tuple[str, str], np.ndarray] = {}
    for site in SITES:
        for day in WEEK:
            for flow in quiet_flows(site, SEED, 70_000, day):
                if not flow.ordinary:
                    key = (site.webacl, flow.name)
                    counts = flow.counts(SEED, site, day)
                    series[key] = np.append(series.get(key, np.zeros(0)), counts)
    assert len(series) > 60
    for key, counts in series.items():
        assert len(counts) == 7 * SLOTS
        assert counts.sum() > 0, key
        assert counts.max() <= 10 * counts.mean() + 10, key
    sparse = [key for key, counts in series.items() if counts.sum() / 7 < 10]
    assert len(sparse) >= 10
