"""A worker that tells the devices it was given, then waits until it may end."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from slubench.sweep.unit import reasons_file

unit_file = Path(sys.argv[1])
told = {name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")}
unit_file.with_suffix(".told").write_text(json.dumps(told))
name = json.loads(unit_file.read_text())["name"]
while name.startswith("waits") and not unit_file.with_name("go").exists():
    time.sleep(0.02)
if name.endswith("fails"):
    reasons_file(unit_file).write_text(json.dumps({"a run": "a reason"}))
    sys.exit(1)
if name.endswith("breaks"):
    print("the last line")
    sys.exit(7)
