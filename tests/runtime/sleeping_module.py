"""A module for `run_module`: starts a process of its own, notes both ids in its job's file, and sleeps."""

import os
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    grandchild = subprocess.Popen(["sleep", "600"])
    noted = Path(sys.argv[1])
    noted.with_suffix(".new").write_text(f"{os.getpid()} {grandchild.pid}")
    noted.with_suffix(".new").rename(noted)
    time.sleep(600)
