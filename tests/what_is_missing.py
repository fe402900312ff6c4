"""Says loudly, before the tests, what this machine lacks and which tests are skipped for it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

LACKS = {
    "vLLM (tests marked vllm)": importlib.util.find_spec("vllm") is None,
    "real text, SLUBENCH_TEST_DATA (tests on MASSIVE and SLURP text)": not os.environ.get(
        "SLUBENCH_TEST_DATA"
    ),
    "Chromium (tests of the page)": shutil.which("chromium") is None,
    "bubblewrap (tests marked sandbox)": shutil.which("bwrap") is None,
    "a C compiler (the tests of GPU drivers)": shutil.which("cc") is None,
    "Ray (tests marked ray)": importlib.util.find_spec("ray") is None,
    "SLURM: submitit, slurm-wlm, munge and root (tests marked slurm)": importlib.util.find_spec("submitit")
    is None
    or os.geteuid() != 0
    or any(
        shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None
        for name in ("munged", "slurmctld", "slurmd")
    ),
}


def main() -> int:
    """Print what is lacking; in CI that is a failure."""
    lacking = [name for name, lacks in LACKS.items() if lacks]
    for name in lacking:
        print(f"!!! SKIPPED HERE, because it is missing: {name}", file=sys.stderr)
    return 1 if lacking and os.environ.get("SLUBENCH_DEMAND") else 0


if __name__ == "__main__":
    sys.exit(main())
