"""What is compiled is kept on disk until one of the files that it may come from changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KERNEL = "from bartizan.compiled import compiled\nfrom helper import helped\n"
KERNEL += "@compiled\ndef kernel(number):\n    return helped(number) + 1\nprint(kernel(1))\n"
HELPER = "from bartizan.compiled import compiled\n@compiled\ndef helped(number):\n    return {}\n"


def test_a_change_of_what_a_kernel_calls_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def result(helped: str) -> str:
        (tmp_path / "helper.py").write_text(HELPER.format(helped), encoding="utf-8")
        run = [sys.executable, "kernel.py"]
        done = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    assert result("number + 10") == "12"
    kept = set((tmp_path / "__pycache__").glob("kernel.kernel*"))
    assert kept
    assert result("number + 10") == "12"
    assert set((tmp_path / "__pycache__").glob("kernel.kernel*")) == kept
    assert result("number * 70") == "71"
