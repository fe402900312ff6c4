"""A SLURM cluster of one controller and one node on this machine, from Debian's packages, for tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
KillWait=60
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """The programs that are not installed; daemons lie in `/usr/sbin`."""
    return [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmCluster:
    """Started by `start`; its commands need `environment`.

    Attributes:
        folder: Where all that belongs to it lies.
        environment: Variables for commands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        conf = CONF.format(folder=self.folder, host=host, ports=free_ports(2), cpus=os.cpu_count())
        (self.folder / "slurm.conf").write_text(conf)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        at = {name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
        self._daemon(
            *("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={at['socket']}"),
            *(f"--pid-file={at['pid']}", f"--log-file={at['log']}", f"--seed-file={at['seed']}"),
        )
        deadline = time.monotonic() + 60
        while not at["socket"].exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        self._daemon("slurmctld", "-D", "-i")
        self._daemon("slurmd", "-D")
        while "idle" not in self.run("sinfo", "-h", "-o", "%T") and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "idle" in self.run("sinfo", "-h", "-o", "%T"), self.logs()

    def _daemon(self, *command: str) -> None:
        log = (self.folder / f"{command[0]}.out").open("wb")
        with log:
            self._processes.append(
                subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=self.folder)
            )

    def run(self, *command: str) -> str:
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return ran.stdout if ran.returncode == 0 else ""

    def logs(self) -> str:
        """What the daemons printed."""
        return "\n".join(path.read_text("utf-8", "replace")[-2000:] for path in self.folder.glob("*.out"))

    def stop(self) -> None:
        self.run("scancel", "--me")
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
