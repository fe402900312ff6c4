"""`python -m slubench.runtime.child MODULE JOB`: run a module that ends with its parent process.

On Linux the kernel tells of the parent's death by SIGTERM (prctl(2), PR_SET_PDEATHSIG); everywhere a thread
looks once a second, sends SIGTERM where the kernel does not, and ends the whole process group when the grace
is over.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

from slubench.runtime.child_process import GRACE, PARENT, Terminated, raise_on_termination
from slubench.runtime.streams import open_streams
from slubench.runtime.unexpected import kept_traceback, told

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """End this process when `parent` does: SIGTERM first, and SIGKILL for its group after the grace."""
    kernel_tells = False
    if sys.platform == "linux":
        # A library without prctl, or a kernel that refuses, leaves it to the thread.
        if (prctl := getattr(ctypes.CDLL(None), "prctl", None)) is not None:
            kernel_tells = prctl(PR_SET_PDEATHSIG, signal.SIGTERM) == 0
    # The parent may have died before the kernel was asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=_watch, args=(parent, kernel_tells), daemon=True).start()


def _watch(parent: int, kernel_tells: bool) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    if not kernel_tells:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    _end_own_group()


def _end_own_group() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(128 + signal.SIGKILL)


def main() -> None:
    """Run the module that the arguments name."""
    open_streams()
    parent = int(os.environ.pop(PARENT, "0"))
    if parent:
        raise_on_termination()
        end_with(parent)
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except Terminated as ended:
        print(f"ended by {ended}; run the same command again to resume", file=sys.stderr)
        sys.exit(128 + ended.number)
    except Exception as error:
        folder = Path(arguments[0]).parent if arguments else Path()
        kept = kept_traceback(error, folder if folder.is_dir() else None)
        print(f"Error: {told(error)}. {kept}", file=sys.stderr)
        sys.exit(1)
    finally:
        sys.stderr.flush()
        # Nobody is left to end what this process has started, such as an engine's workers.
        if parent and os.getppid() != parent:
            _end_own_group()


if __name__ == "__main__":
    main()
