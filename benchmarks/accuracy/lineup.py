"""Who takes part. A detector of your own is measured by adding it here."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from accuracy.baselines import BASELINES
from accuracy.detector import Detector
from accuracy.peers import PEERS
from accuracy.today import bartizan

INSTALLED = Path("var/bench/peers")


def lineup(interval: timedelta, slow: bool) -> tuple[Detector, ...]:
    """All detectors, for points that are `interval` apart; the slow ones only when asked for.

    Peers that are not installed are named and left out.
    """
    if str(INSTALLED) not in sys.path:
        sys.path.append(str(INSTALLED))
    found = [bartizan(interval), *BASELINES]
    for peer in PEERS:
        try:
            found.append(peer())
        except ImportError as error:
            print(f"left out {peer.__name__}: {error} (make var/bench/peers/ready)")
    return tuple(one for one in found if slow or not one.slow)
