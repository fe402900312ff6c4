"""A row is the run it says it is: none is taken for another, whatever files are called."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.board import build, read_scores
from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.read.records import read_records
from slubench.board.read.replicates import read_replicates
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import ScoredRun, runs_of
from slubench.metrics import Count
from slubench.metrics.measures import SLURP
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside
from tests.board.known_truth import write_home, write_run
from tests.board.made_records import record, write_records
from tests.board.made_scores import scored, write_rows

LEVELS = {("text-only", 0.0): 0.5, ("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.7}


def runs_in(paths: Sequence[Path]) -> list[ScoredRun]:
    return runs_of(read_scores(paths).table)


def one_panel(paths: Sequence[Path]) -> Panel:
    reading = read_scores(paths)
    (panel,) = panels_of(runs_of(reading.table), read_replicates(reading.files, reading.sources))
    return panel


def moved(path: Path, folder: Path, name: str) -> Path:
    """A score file, and all that lies beside it, under another name."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    for kind in (SUMS, REPLICATES, RECORDS):
        if beside(path, kind).exists():
            beside(target, kind).parent.mkdir(exist_ok=True)
            shutil.copy(beside(path, kind), beside(target, kind))
    shutil.copy(path, target)
    return target


def same_fingerprint(path: Path, fingerprint: str) -> None:
    """Give scores, and what lies beside them, the fingerprint of other scores, as schema 3 could."""
    for part in (path, beside(path, SUMS), beside(path, REPLICATES)):
        table = pq.read_table(part)
        place = table.column_names.index("scores_fingerprint")
        field = table.schema.field(place)
        pq.write_table(table.set_column(place, field, [[fingerprint] * len(table)]), part)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_copy_under_another_name_with_wrong_replies_replaces_nothing(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    honest = write_run(tmp_path / "1", "curriculum", 0.05, 0.8, 0, tier="retrained")
    rival = write_run(tmp_path / "2", "mine", 0.05, 0.1, 0, tier="rescored")
    fingerprint = pq.read_table(honest).column("scores_fingerprint")[0].as_py()
    same_fingerprint(rival, fingerprint)
    for path, name in ((honest, "curriculum"), (rival, "mine")):
        write_records(path, record(fingerprint, strategy_file=f"strategies/{name}.py"))
    paths = sorted(
        moved(path, tmp_path, f"{name}.parquet") for path, name in zip((honest, rival), names, strict=True)
    )
    reading = read_scores(paths)
    runs = {run.strategy: run for run in runs_of(reading.table)}
    prints = {name: run.row["scores_fingerprint"] for name, run in runs.items()}
    assert len(set(prints.values())) == 2
    drawn, sums = read_replicates(reading.files, reading.sources), SumsBeside(reading.sources)
    for name, low, high in (("curriculum", 0.7, 0.9), ("mine", 0.0, 0.2)):
        found = drawn.find(prints[name])
        assert found is not None
        assert low < found.value < high
        counted = sums.find(prints[name], SLURP, "speech")["all"]
        assert low < counted.sums[:, Count.EXACT].mean() < high
        (told,) = read_records(reading.files, reading.sources).of([prints[name]])
        assert told is not None
        assert told["strategy_file"] == f"strategies/{name}.py"
    assert len({run.page for run in runs.values()}) == 2


def test_the_page_does_not_depend_on_the_names_of_files_or_their_order(tmp_path: Path) -> None:
    paths = write_home(tmp_path / "home", LEVELS)
    paths += write_home(tmp_path / "claimed", LEVELS, range(2), tier="claimed")
    paths += write_home(tmp_path / "again", {("curriculum", 0.05): 0.3}, range(2), serving="merged")
    paths += [moved(paths[0], tmp_path / "copy", "zzz.parquet")]
    pages = []
    for turn in range(3):
        names = [f"{number:03}.parquet" for number in range(len(paths))]
        draw = random.Random(turn)
        draw.shuffle(names)
        files = [moved(path, tmp_path / f"turn{turn}", name) for path, name in zip(paths, names, strict=True)]
        draw.shuffle(files)
        folder = build(files, tmp_path / f"site{turn}").page.parent
        pages.append(
            {
                str(path.relative_to(folder)): path.read_bytes()
                for path in folder.rglob("*")
                if path.suffix in (".html", ".js")
            }
        )
    assert pages[0] == pages[1] == pages[2]


def test_two_checkpoints_of_one_name_are_two_models(tmp_path: Path) -> None:
    for number, weights in enumerate(("1" * 64, "2" * 64)):
        for seed in (0, 1):
            rows = scored(
                "curriculum",
                0.05,
                0.5 + 0.1 * number,
                data_seed=seed,
                train_seed=seed,
                model_weights=weights,
                scores_fingerprint=f"{number}{seed}" * 16,
            )
            write_rows(tmp_path / f"{number}{seed}.parquet", rows)
    panels = panels_of(runs_in(sorted(tmp_path.glob("*.parquet"))))
    assert [panel.setting.model for panel in panels] == ["tiny (11111111)", "tiny (22222222)"]
    for panel in panels:
        (cell,) = panel.cells
        assert cell.seeds == ((0, 0), (1, 1))
        assert not any("older run" in note for note in panel.notes)
        assert any("is not the only model that is named tiny" in note for note in panel.notes)


def test_a_commit_of_the_hub_tells_models_apart(tmp_path: Path) -> None:
    rows = [
        scored("curriculum", 0.05, 0.5, model_weights=f"a/m@{commit * 40}", scores_fingerprint=commit * 64)
        for commit in "ab"
    ]
    path = write_rows(tmp_path / "all.parquet", [row for some in rows for row in some])
    assert [run.model for run in runs_in([path])] == ["tiny (a/m@aaaaaaaa)", "tiny (a/m@bbbbbbbb)"]


def edited(fingerprint: str, value: float, **changes: Any) -> list[dict[str, Any]]:
    return scored(
        "curriculum",
        0.05,
        value,
        strategy_fingerprint=fingerprint,
        scores_fingerprint=(fingerprint[:1] + str(changes.get("data_seed", 0))) * 32,
        **changes,
    )


def test_an_edited_strategy_of_the_same_name_is_another_strategy(tmp_path: Path) -> None:
    rows = [edited("a" * 64, 0.7, data_seed=seed, train_seed=seed) for seed in (0, 1, 2)]
    rows.append(edited("b" * 64, 0.1))
    panel = one_panel([write_rows(tmp_path / "all.parquet", [row for some in rows for row in some])])
    assert {cell.strategy: len(cell.seeds) for cell in panel.cells} == {
        "curriculum": 3,
        "curriculum (bbbbbbbb)": 1,
    }
    assert any("is not the only strategy that is named curriculum" in note for note in panel.notes)
    assert not any("older run" in note for note in panel.notes)


def test_a_comment_changes_no_strategy_and_a_file_that_is_not_known_is_set_apart(tmp_path: Path) -> None:
    rows = [edited("a" * 64, 0.7, data_seed=0, strategy_digest="1" * 64)]
    rows += [edited("a" * 64, 0.7, data_seed=1, strategy_digest="2" * 64)]
    unknown = edited("c" * 64, 0.6, data_seed=2, strategy_digest=None)
    rows.append([row | {"strategy_fingerprint": None} for row in unknown])
    # Schema 3 told the file alone: another row tells which strategy that was.
    before = edited("d" * 64, 0.6, data_seed=3, strategy_digest="2" * 64)
    rows.append([row | {"strategy_fingerprint": None} for row in before])
    panel = one_panel([write_rows(tmp_path / "all.parquet", [row for some in rows for row in some])])
    assert {cell.strategy: len(cell.seeds) for cell in panel.cells} == {
        "curriculum": 3,
        "curriculum (file not known)": 1,
    }


@pytest.mark.parametrize(("other", "rows"), [(0.6015, 1), (0.61, 2)])
@pytest.mark.parametrize("way", [{"serving": "merged"}, {"engine": "transformers 6.0.0"}])
def test_two_ways_of_serving_stand_in_one_row_only_where_they_agree(
    tmp_path: Path, other: float, rows: int, way: dict[str, Any]
) -> None:
    one = scored("curriculum", 0.05, 0.6, scores_fingerprint="1" * 64)
    two = scored("curriculum", 0.05, other, scores_fingerprint="2" * 64, **way)
    panel = one_panel([write_rows(tmp_path / "all.parquet", [*one, *two])])
    assert len(panel.cells) == rows
    told = "agree within 0.2 points" if rows == 1 else "differ by more than 0.2 points"
    assert any(told in note for note in panel.notes)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_the_same_run_with_other_scores_the_better_proven_counts_and_it_is_told(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for name, value, tier in zip(names, (0.7, 0.1), ("retrained", "claimed"), strict=True):
        write_rows(tmp_path / f"{name}.parquet", scored("curriculum", 0.05, value, tier=tier))
    reading = read_scores(sorted(tmp_path.glob("*.parquet")))
    (run,) = runs_of(reading.table)
    assert run.row["tier"] == "retrained"
    assert {round(one.value, 3) for measure, one in run.measures.items() if measure.input == "speech"} == {
        0.7
    }
    (refused,) = reading.refused
    assert f"{names[1]}.parquet: other scores (claimed) of the same run are in {names[0]}.parquet" in str(
        refused
    )


def test_claimed_rows_of_text_only_are_no_reference(tmp_path: Path) -> None:
    own = [scored("text-only", 0.0, 0.5, 0.8), scored("curriculum", 0.05, 0.7)]
    claimed = [
        scored("text-only", 0.0, 0.1, 0.1, tier="claimed", data_seed=seed, train_seed=seed)
        for seed in range(3)
    ]
    claimed = [[row | {"scores_fingerprint": f"{n}" * 64} for row in rows] for n, rows in enumerate(claimed)]
    rows = [row for some in (*own, *claimed) for row in some]
    panel = one_panel([write_rows(tmp_path / "all.parquet", rows)])
    (cell,) = panel.of("curriculum")
    gap = cell.estimate("modality_gap")
    assert gap is not None
    assert gap.value == pytest.approx(0.1)
    alone = panel.reading_alone()
    assert alone is not None
    assert alone.tier == "local"


@pytest.mark.parametrize("cut", [False, True])
def test_old_rows_have_weights_and_strategy_from_their_record(cut: bool, tmp_path: Path) -> None:
    """Long files are cut in records; what is left could be taken for another strategy's file."""
    rows = scored("curriculum", 0.05, 0.7)
    unknown = {"strategy_fingerprint": None, "strategy_digest": None, "model_weights": None}
    path = write_rows(tmp_path / "old.parquet", [row | unknown for row in rows])
    source = "from slubench import Strategy\nC = Strategy(name='curriculum')\n"
    sha256 = hashlib.sha256((source + "C = C\n" * cut).encode()).hexdigest()
    told = record(
        str(rows[0]["scores_fingerprint"]),
        strategy_source=source,
        strategy_sha256=sha256,
        facts=[("weights", "w" * 64)],
    )
    write_records(path, told)
    (run,) = runs_in([path])
    assert run.row["model_weights"] == "w" * 64
    assert run.row["strategy_digest"] == sha256
    assert (run.row["strategy_fingerprint"] is None) == cut
