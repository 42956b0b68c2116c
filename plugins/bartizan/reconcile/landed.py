"""How many requests of each web ACL were landed, by hour and action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bartizan.engines import DuckDBEngine
from bartizan.model.window import DAY, Window, aware

LOOK_BACK = 7 * DAY  # a web ACL seen so long before a window is expected in it

_COUNTS = """
select
    coalesce(webacl_id, '') as webacl_id,
    date_trunc('hour', event_time) as hour,
    coalesce(action, 'NONE') as action,
    count(*) as requests
from waf.requests
where event_time >= {{ start }} and event_time < {{ end }}
group by 1, 2, 3
order by 1, 2, 3
"""


Actions = dict[str, int]  # requests by terminating action


@dataclass(frozen=True)
class Landed:
    """Requests by web ACL id and hour; `webacls` also names those without requests."""

    webacls: frozenset[str]
    requests: Mapping[tuple[str, datetime], Actions]

    def of(self, webacl_id: str, hour: datetime) -> Actions:
        return self.requests.get((webacl_id, hour), {})


def landed(engine: DuckDBEngine, window: Window) -> Landed:
    """Counts of the window, and every web ACL seen in it or in the seven days before."""
    wider = Window(window.start - LOOK_BACK, window.end)
    webacls = set[str]()
    requests: dict[tuple[str, datetime], Actions] = {}
    for row in engine.query(_COUNTS, wider, "reconcile: landed").to_pylist():
        webacls.add(row["webacl_id"])
        if (hour := aware(row["hour"])) in window:
            actions = requests.setdefault((row["webacl_id"], hour), {})
            actions[row["action"]] = row["requests"]
    return Landed(frozenset(webacls), requests)
