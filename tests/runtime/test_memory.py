"""A job takes no more memory than its control group or SLURM gives it, whatever the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.runtime import memory
from slubench.train.features import memory_budget

GIBI = 2**30


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree of control groups, on a machine with 64 GiB, 48 of them free."""
    for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(memory, "MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "_free_pages", lambda: 48 * GIBI)
    monkeypatch.setattr("os.sysconf", lambda name: 64 * GIBI // memory.PAGE)
    return tmp_path / "cgroup"


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def test_without_limits_all_free_memory_counts(groups: Path) -> None:
    assert memory.free_memory() == 48 * GIBI
    assert memory.usable_memory() == 64 * GIBI


def test_a_containers_limit_counts_and_cached_files_are_free(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    write(
        groups, memory__max=8 * GIBI, memory__current=7 * GIBI, memory__stat=f"anon 1\ninactive_file {GIBI}"
    )
    assert memory.free_memory() == 2 * GIBI
    assert memory.usable_memory() == 8 * GIBI
    assert memory_budget() == GIBI // 2


def test_the_limit_of_a_group_above_counts(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/system/job/step\n")
    write(groups / "system" / "job", memory__max=16 * GIBI, memory__current=15 * GIBI)
    write(groups / "system" / "job" / "step", memory__max="max", memory__current=GIBI)
    assert memory.free_memory() == GIBI
    assert memory.usable_memory() == 16 * GIBI


def test_the_first_version_of_control_groups_counts(groups: Path) -> None:
    (groups.parent / "own").write_text("5:devices:/x\n4:memory:/not/mounted/here\n")
    write(
        groups / "memory",
        memory__limit_in_bytes=4 * GIBI,
        memory__usage_in_bytes=3 * GIBI,
        memory__stat=f"total_inactive_file {GIBI}",
    )
    assert memory.free_memory() == 2 * GIBI


@pytest.mark.parametrize(
    ("granted", "usable"),
    [
        ({"SLURM_MEM_PER_NODE": "10240"}, 10 * GIBI),
        ({"SLURM_MEM_PER_CPU": "2048", "SLURM_CPUS_ON_NODE": "4"}, 8 * GIBI),
        ({"SLURM_MEM_PER_NODE": "0"}, 64 * GIBI),
        ({"SLURM_MEM_PER_NODE": "all"}, 64 * GIBI),
    ],
)
def test_what_slurm_grants_counts(
    granted: dict[str, str], usable: int, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in granted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(memory, "_resident", lambda: GIBI)
    assert memory.usable_memory() == usable
    assert memory.free_memory() == (usable - GIBI if usable < 64 * GIBI else 48 * GIBI)


def test_a_group_that_is_full_leaves_nothing(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    write(groups, memory__max=GIBI, memory__current=2 * GIBI)
    assert memory.free_memory() == 0
