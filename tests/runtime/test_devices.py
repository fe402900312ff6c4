"""Which GPUs a command may use, and how this machine is shared out."""

from __future__ import annotations

import pytest

from slubench.runtime import devices
from slubench.runtime.devices import VISIBLE, gpu_bytes, gpus, gpus_to_hold, shares
from slubench.runtime.gpu import Driver, Gpu

TWO = "GPU 0: NVIDIA H100 (UUID: GPU-aaaa)\nGPU 1: NVIDIA H100 (UUID: GPU-bbbb)\n"
DIVIDED = """GPU 0: NVIDIA H100 (UUID: GPU-aaaa)
  MIG 3g.40gb     Device  0: (UUID: MIG-1111-2222)
  MIG 3g.40gb     Device  1: (UUID: MIG-3333-4444)
GPU 1: NVIDIA H100 (UUID: GPU-bbbb)
"""


def found(listing: str, visible: str | None = None, count: int = 0) -> list[str]:
    environment = {} if visible is None else {VISIBLE: visible}
    return gpus(environment, lambda *arguments: listing, lambda: count)


def test_all_gpus_where_nothing_is_said() -> None:
    assert found(TWO) == ["0", "1"]


def test_gpus_are_counted_by_the_driver_where_nvidia_smi_is_missing() -> None:
    assert found("", count=3) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        (" 0 , 1 ", ["0", "1"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["0"]),
        ("0,7,1", ["0"]),
        ("1,1", ["1"]),
        ("GPU-bbbb", ["GPU-bbbb"]),
        ("MIG-1111-2222,GPU-bbbb", ["MIG-1111-2222", "GPU-bbbb"]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices_is_respected_as_cuda_does(visible: str, expected: list[str]) -> None:
    assert found(TWO, visible) == expected


def test_the_slices_of_a_divided_gpu_stand_for_it() -> None:
    assert found(DIVIDED) == ["MIG-1111-2222", "MIG-3333-4444", "1"]
    assert found(DIVIDED, "0") == ["MIG-1111-2222", "MIG-3333-4444"]
    assert found(DIVIDED, "MIG-3333-4444") == ["MIG-3333-4444"]


def test_every_gpu_gets_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(devices, "cores", lambda: 16)
    assert shares(None, ["0", "MIG-1"]) == [
        {VISIBLE: "0", "OMP_NUM_THREADS": "8"},
        {VISIBLE: "MIG-1", "OMP_NUM_THREADS": "8"},
    ]
    assert len(shares(1, ["0", "1"])) == 1


def test_a_cpu_is_one_place_unless_more_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(devices, "cores", lambda: 5)
    assert shares(None, []) == [{}]
    assert shares(2, []) == [{"OMP_NUM_THREADS": "2"}] * 2
    assert len(shares(64, [])) == 5


def test_a_users_own_number_of_threads_is_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(devices, "cores", lambda: 8)
    assert shares(2, []) == [{"OMP_NUM_THREADS": "1"}] * 2


@pytest.mark.parametrize(
    ("weights", "memory", "most", "expected"),
    [(14, 80, 8, 1), (70, 80, 8, 2), (140, 80, 8, 4), (140, 80, 2, 2), (140, 0, 8, 1), (2, 80, 1, 1)],
)
def test_a_model_that_is_too_large_for_a_gpu_takes_several(
    weights: int, memory: int, most: int, expected: int
) -> None:
    assert gpus_to_hold(weights * 2**30, memory * 2**30, most) == expected


def test_the_smallest_gpu_tells_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Driver((13, 0), (Gpu("H100", 80, None), Gpu("a slice", 40, None)))
    monkeypatch.setattr(devices, "find_driver", lambda: two)
    assert gpu_bytes() == 40
    monkeypatch.setattr(devices, "find_driver", lambda: None)
    assert gpu_bytes() == 0


@pytest.mark.parametrize(
    ("visible", "count", "expected"),
    [("2,3", 2, ["2", "3"]), ("2,9", 1, ["2"]), ("GPU-aaaa", 1, ["GPU-aaaa"]), ("0", 0, [])],
)
def test_without_nvidia_smi_the_first_visible_gpus_are_those_that_the_driver_leaves(
    visible: str, count: int, expected: list[str]
) -> None:
    assert found("", visible, count) == expected
