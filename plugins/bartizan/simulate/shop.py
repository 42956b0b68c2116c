"""A shop by the hour: views, revenue and the steps to its checkout, by platform and marketplace.

The data of the e-commerce sample, normalised as the original's: `ecommerce` and `funnel` refer to
`platform` and `marketplace` by id. An hour has the same rows in whatever window it is made, but for
two anomalies, which lie a fixed time before the window's end.

Views are gamma-mixed Poisson around an expected rate, each step to the checkout a binomial part of
the one before, and the revenue of an hour's orders gamma-distributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.simulate.seeds import generator

Rates = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Platform:
    """`carts` is the part of product pages that end in a cart, `basket` the mean order in money."""

    name: str
    share: float
    carts: float
    basket: float


@dataclass(frozen=True)
class Marketplace:
    """`utc` is how many hours its clocks are ahead of UTC, summer and winter."""

    name: str
    share: float
    utc: int


PLATFORMS = (
    Platform("pc_web", 1.0, 0.11, 62.0),
    Platform("mobile_web", 0.8, 0.07, 38.0),
    Platform("mobile_app", 0.6, 0.14, 45.0),
)
MARKETPLACES = (
    Marketplace("us", 1.0, -6),
    Marketplace("uk", 0.5, 0),
    Marketplace("de", 0.6, 1),
    Marketplace("fr", 0.4, 1),
    Marketplace("es", 0.3, 1),
    Marketplace("it", 0.3, 1),
    Marketplace("jp", 0.7, 9),
)
_SIZES = np.outer([each.share for each in PLATFORMS], [each.share for each in MARKETPLACES])
_CARTS = np.array([[each.carts] for each in PLATFORMS])
_BASKETS = np.array([[each.basket] for each in PLATFORMS])
_AHEAD = np.array([each.utc for each in MARKETPLACES])

_VIEWS = 900.0  # in an hour of the largest series, on average
_SHAPE = 80.0  # of the gamma mixture: 11 % beside Poisson's own deviation
_DRIFT = 0.06  # deviation of the slow log-rate, which runs from midnight to midnight
_CHECKOUTS, _ORDERS = 0.45, 0.7  # parts of the step before
_ORDER_SHAPE = 1.5  # of a single order's value

# First day and days of a year, and what they do to views: known to the shop, in no weekly season.
_PROMOTIONS = ((45, 1, 1.3), (182, 3, 1.6), (329, 5, 2.2))


@dataclass(frozen=True)
class Anomaly:
    """In some series, `scraped` times the usual views come on top, and of the carts only the part
    `checkouts` of the usual ones goes on to the checkout."""

    name: str
    window: Window
    platforms: tuple[str, ...]
    marketplaces: tuple[str, ...]
    scraped: float = 0.0
    checkouts: float = 1.0

    def hit(self) -> Rates:
        """1 for each series that it touches, else 0."""
        return np.outer(
            [each.name in self.platforms for each in PLATFORMS],
            [each.name in self.marketplaces for each in MARKETPLACES],
        ).astype(float)


def two_years(end: datetime) -> Window:
    """The 730 days before the hour that holds `end`."""
    last = Window.hour(end).start
    return Window(last - 730 * DAY, last)


def anomalies(window: Window) -> tuple[Anomaly, ...]:
    """What is wrong in the shop of a window: the labels of its data."""
    broken, scraped = window.end - 25 * DAY + 10 * HOUR, window.end - 11 * DAY
    return (
        Anomaly(
            "the app's checkout is broken in three marketplaces",
            Window(broken, broken + 7 * HOUR),
            platforms=("mobile_app",),
            marketplaces=("de", "fr", "es"),
            checkouts=0.05,
        ),
        Anomaly(
            "product pages are scraped",
            Window(scraped, scraped + 4 * HOUR),
            platforms=("pc_web",),
            marketplaces=("us",),
            scraped=4.0,
        ),
    )


def shop(window: Window, seed: int = 7) -> dict[str, pa.Table]:
    """Tables `platform`, `marketplace`, `ecommerce` and `funnel`, the last two with a row for each
    hour and series of the window.

    Ids count from 1, `ts` is the start of the hour in naive UTC, `revenue` is decimal(12, 2).
    """
    hours = [hour.start for hour in window.aligned(HOUR).split(HOUR)]
    labels = anomalies(window)
    made = [_hour(hour, labels, seed) for hour in hours]
    views, carts, checkouts, cents = (np.stack(each).ravel() for each in zip(*made, strict=True))
    platforms, marketplaces = np.indices(_SIZES.shape).reshape(2, -1) + 1
    keys = {
        "ts": pa.array(np.repeat([naive(hour) for hour in hours], _SIZES.size), pa.timestamp("us")),
        "platform": pa.array(np.tile(platforms, len(hours)), pa.int32()),
        "marketplace": pa.array(np.tile(marketplaces, len(hours)), pa.int32()),
    }
    funnel = {"product_page": views, "cart": carts, "checkout": checkouts}
    return {
        "platform": _named([each.name for each in PLATFORMS]),
        "marketplace": _named([each.name for each in MARKETPLACES]),
        "ecommerce": pa.table({**keys, "views": views, "revenue": _money(cents)}),
        "funnel": pa.table({**keys, **funnel}),
    }


def _hour(
    hour: datetime, labels: Sequence[Anomaly], seed: int
) -> tuple[Counts, Counts, Counts, Counts]:
    """Views, carts, checkouts and revenue in cents, by platform and marketplace."""
    draws = generator(seed, "shop", int(hour.timestamp()))
    now = [label for label in labels if hour in label.window]
    rates = _expected(hour) * np.exp(_drift(hour, seed)) * draws.gamma(_SHAPE, 1 / _SHAPE, (3, 7))
    visitors = draws.poisson(rates)
    carts = draws.binomial(visitors, _CARTS)
    let_through = np.prod([1 - label.hit() * (1 - label.checkouts) for label in now], axis=0)
    checkouts = draws.binomial(carts, _CHECKOUTS * let_through)
    orders = draws.binomial(checkouts, _ORDERS)
    revenue = draws.gamma(orders * _ORDER_SHAPE, _BASKETS / _ORDER_SHAPE)
    robots = draws.poisson(rates * sum(label.hit() * label.scraped for label in now))
    return visitors + robots, carts, checkouts, np.rint(revenue * 100).astype(np.int64)


def _expected(hour: datetime) -> Rates:
    """Views by platform and marketplace that a perfect forecast would expect."""
    local = (hour.hour + 0.5 + _AHEAD) % 24
    day = 0.25 + sum(
        height * np.exp(-0.5 * ((((local - peak + 12) % 24) - 12) / width) ** 2)
        for peak, width, height in ((12.5, 2.5, 0.9), (20.5, 2.0, 1.5))
    )
    week = 1.25 if hour.weekday() >= 5 else 0.9
    of_year = hour.timetuple().tm_yday
    year = 1 + 0.15 * np.cos(2 * np.pi * (of_year - 345) / 365.25)
    promotion = max(
        (lift for first, days, lift in _PROMOTIONS if first <= of_year < first + days), default=1.0
    )
    growth = 1.08 ** (hour.year + of_year / 365.25 - 2025)
    expected: Rates = _VIEWS * _SIZES * day * week * year * promotion * growth
    return expected


def _drift(hour: datetime, seed: int) -> float:
    """The slow log-rate: drawn for each midnight, straight lines between them."""
    midnight = hour.toordinal()
    before, after = (
        float(generator(seed, "shop drift", each).standard_normal()) * _DRIFT
        for each in (midnight, midnight + 1)
    )
    return before + (after - before) * hour.hour / 24


def _named(names: Sequence[str]) -> pa.Table:
    return pa.table({"id": pa.array(range(1, len(names) + 1), pa.int32()), "name": names})


def _money(cents: Counts) -> pa.Array:
    exact = pa.array(cents).cast(pa.decimal128(19, 0))
    return pc.multiply(exact, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(12, 2))
