"""What benches land and how they measure it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from isal import igzip

from inputs import regroup
from measure import watch

DELIVERY = "AWSLogs/111122223333/WAFLogs/us-east-1/shop/2026/11/01/00/05/shop.log.gz"


def test_a_delivery_that_fills_several_objects_loses_none(tmp_path: Path) -> None:
    lines = [b'{"n":%d}\n' % number for number in range(100)]
    delivery = tmp_path / "from" / DELIVERY
    delivery.parent.mkdir(parents=True)
    delivery.write_bytes(igzip.compress(b"".join(lines)))

    regroup([delivery], tmp_path / "to", objects=3, records=30)

    made = sorted((tmp_path / "to").rglob("*.gz"))
    assert {file.parent for file in made} == {(tmp_path / "to" / DELIVERY).parent}
    assert [igzip.decompress(file.read_bytes()) for file in made] == [
        b"".join(lines[start : start + 30]) for start in (0, 30, 60)
    ]
    with pytest.raises(AssertionError, match="3 objects of 30 lines instead of 4"):
        regroup([delivery], tmp_path / "more", objects=4, records=30)


def test_a_command_is_measured_by_what_it_used() -> None:
    busy = "import time\nkept = bytearray(80_000_000)\nwhile time.process_time() < 0.5: pass"

    cpu, wall, peak = watch([sys.executable, "-c", busy])

    assert 0.5 <= cpu < 1.5 and wall >= 0.4
    assert peak > 80_000_000
    with pytest.raises(SystemExit, match="failed with 3"):
        watch([sys.executable, "-c", "raise SystemExit(3)"])
