"""The built page: what it says, what it never holds, and what is left on the disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from slubench.board import build
from tests.board.made_scores import grid, score_rows, write_rows

HOSTILE = (
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\u2028 &amp; ${x} \u202e"
)

BEFORE = "Object.assign((window.slubench ??= {}), "


def built(tmp_path: Path, *runs: list[dict[str, Any]]) -> Path:
    scores = write_rows(tmp_path / "scores.parquet", [row for run in runs for row in run])
    return build([scores], tmp_path / "site").page


def data_of(page: Path) -> Any:
    (script,) = (page.parent / "assets").glob("plots-*.js")
    text = script.read_text("utf-8")
    assert text.startswith(BEFORE)
    assert not set("<>&\u2028\u2029") & set(text.removeprefix(BEFORE))
    return json.loads(text.removeprefix(BEFORE).removesuffix(");\n"))


def test_a_grid_becomes_tables_and_plots(tmp_path: Path) -> None:
    runs = [*grid(("massive-de",)), *grid(("massive-de", "massive-fr-to-de"), edition="full", seeds=(0,))]
    page = built(tmp_path, *runs)
    text = page.read_text("utf-8")
    assert text.count('class="panel"') == text.count('<details class="folded"><summary>All metrics') == 3
    assert text.count('class="sortable"') == 6
    assert text.count('class="matrix"') == 1
    assert text.count('<tbody>\n<tr data-proof="local">') == 6
    settings = text[text.index('class="setting"') :]
    assert settings.index("full edition") < settings.index("mini edition")
    rows = re.findall(r'<th scope="row".*?<bdi>(.*?)</bdi>', text)
    assert len(rows) == 2 * 3 * 17
    assert set(data_of(page)["places"]) == set(re.findall(r'class="plot" id="(.*?)"', text))


def test_the_miniature_says_that_it_is_a_test_of_software(tmp_path: Path) -> None:
    banner = "The mini edition is a test of the software, not evidence about strategies."
    text = built(tmp_path, *grid(("massive-de", "massive-fr"), seeds=(0,))).read_text("utf-8")
    assert text.count(banner) == 1
    captions = re.findall("<caption.*?</caption>", text, re.DOTALL)
    assert len(captions) > 3
    assert all("software test" in caption for caption in captions)
    full = built(tmp_path / "full", *grid(edition="full", seeds=(0,))).read_text("utf-8")
    assert banner not in full
    assert "software test" not in full[: full.index('id="rules"')]


def test_rows_by_the_papers_recipe_say_that_they_are_not_calibrated(tmp_path: Path) -> None:
    assert built(tmp_path, score_rows(ruleset="paper")).read_text("utf-8").count("not calibrated.") == 1
    assert "not calibrated" not in built(tmp_path / "fixed", score_rows()).read_text("utf-8")


def test_normalised_numbers_stand_in_front_and_official_ones_beside(tmp_path: Path) -> None:
    rows = score_rows()
    for row in rows:
        row["value"] = 0.123 if row["normalised"] else 0.456
        row["low"] = row["high"] = None
    text = built(tmp_path, rows).read_text("utf-8")
    body = text[text.index("<tbody>") :]
    assert body.index("12.3") < body.index("45.6")


def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    page = built(tmp_path, *grid(seeds=(0,)))
    text = page.read_text("utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r'<a href="(https?:.*?)"', text) == ["https://arxiv.org/abs/2509.15389"]
    for reference in re.findall(r'(?:src|href)="(.*?)"', re.sub(r'<a href="https.*?"', "<a", text)):
        inside = ("assets/", "strategies/", "run.html#", "scores.parquet", "api/", "#", "data:")
        assert reference.startswith(inside), reference
        if not reference.startswith(("#", "data:")):
            assert (page.parent / reference.partition("#")[0]).is_file(), reference
    assets = [path for path in (page.parent / "assets").rglob("*.*") if not path.name.startswith("vega")]
    own = [*assets, page.parent / "run.html", *(page.parent / "strategies").iterdir()]
    assert len(assets) == 7
    texts = [path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "") for path in own]
    assert not any(re.search(r"https?:|//[a-z]+\.", text) for text in texts)


@pytest.mark.parametrize(
    "column", ["strategy", "task", "model", "engine", "edition", "speech", "tier", "run", "target"]
)
def test_hostile_text_is_shown_and_never_run(tmp_path: Path, column: str) -> None:
    page = built(
        tmp_path, score_rows(task="massive-fr-to-de") + [row | {column: HOSTILE * 9} for row in score_rows()]
    )
    text = page.read_text("utf-8")
    assert "<img" not in text
    assert "<script>" not in text
    assert text.count("<script") == 1
    assert "\u202e" not in text
    assert max(map(len, re.findall(r"[^\s<>]+", text))) < 1000
    assert data_of(page)["charts"]


def test_the_same_scores_give_the_same_page_byte_by_byte(tmp_path: Path) -> None:
    runs = list(grid(seeds=(0, 1)))
    first, second = built(tmp_path / "a", *runs), built(tmp_path / "b", *reversed(runs))
    for path in sorted(first.parent.rglob("*.*")):
        assert path.read_bytes() == (second.parent / path.relative_to(first.parent)).read_bytes(), path.name


def test_building_again_leaves_nothing_of_the_former_build(tmp_path: Path) -> None:
    built(tmp_path, score_rows())
    (tmp_path / "site" / "assets" / "notes.txt").write_text("mine", "utf-8")
    page = built(tmp_path, score_rows(share=0.1))
    left = sorted(path.name.partition("-")[0] for path in (page.parent / "assets").iterdir())
    assert [path.name for path in (page.parent / "assets").glob("plots-*")] == [
        re.findall(r"assets/(plots-.*?)\"", page.read_text("utf-8"))[0]
    ]
    kinds = ["curve", "notes.txt", "overview", "page", "plots", "run", "runs", "strategy", "vega", "vega"]
    assert left == kinds
    assert [path.name for path in (page.parent / "strategies").iterdir()] == ["curriculum.html"]


def test_broken_files_are_named_on_the_page_without_their_folder(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "good.parquet", score_rows())
    (tmp_path / "bad<b>.parquet").write_bytes(b"no")
    result = build([tmp_path / "bad<b>.parquet", good], tmp_path / "site")
    text = result.page.read_text("utf-8")
    assert (result.runs, result.panels, result.files, len(result.refused)) == (1, 1, 1, 1)
    assert "bad&lt;b&gt;.parquet: not a readable Parquet file" in text
    assert str(tmp_path) not in text


def test_a_leaderboard_of_nothing_says_how_to_fill_it(tmp_path: Path) -> None:
    result = build([], tmp_path)
    text = result.page.read_text("utf-8")
    assert (result.runs, result.panels) == (0, 0)
    assert "slubench run --task massive-de --strategy text-only" in text
    assert "<script" not in text
