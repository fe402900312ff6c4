"""Files that mix locales, whose ids are the same: scored by locale and id, or refused with the reason."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.data.formats.ontology import INTENTS, SCENARIOS
from slubench.errors import DataError
from slubench.metrics import shipped
from slubench.scoring.external import read_predictions
from slubench.scoring.gold import GoldSet, same_locale
from slubench.scoring.gold_files import gold_of_file
from slubench.scoring.score_file import FileScores, score_file

WORDS = {"de-DE": "acht uhr", "fr-FR": "huit heures"}


def gold_row(number: int, locale: str | None, **changes: Any) -> dict[str, Any]:
    time = WORDS.get(locale or "", "acht uhr")
    row = {
        "id": str(number),
        "locale": locale,
        "partition": "test",
        "scenario": "alarm",
        "intent": "alarm_set",
        "utt": f"{number} {time}",
        "annot_utt": f"{number} [time : {time}]",
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


def said(number: int, locale: str | None, **changes: Any) -> dict[str, Any]:
    filler = WORDS.get(locale or "", "acht uhr")
    row = {
        "id": number,
        "locale": locale,
        "scenario": "alarm",
        "action": "set",
        "entities": [{"type": "time", "filler": filler}],
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def gold_of(tmp_path: Path, *rows: dict[str, Any]) -> GoldSet:
    return gold_of_file(lines(tmp_path / "gold.jsonl", rows))


def scores(tmp_path: Path, gold: GoldSet, *rows: dict[str, Any]) -> FileScores:
    said_ = read_predictions(lines(tmp_path / "said.jsonl", rows), gold.keys)
    (report,) = score_file(said_, gold, shipped().values())
    return report


def exact(report: FileScores) -> float:
    (row,) = (r for r in report.rows if r["metric"] == "exact_match" and r["normalised"] and r["strict"])
    return float(row["value"])


BOTH = [gold_row(n, locale) for locale in WORDS for n in (1, 2)]


def test_gold_that_mixes_locales_is_scored_by_locale_and_id(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, *BOTH)
    assert len(gold.items) == 4
    right = [said(n, locale) for locale in WORDS for n in (1, 2)]
    report = scores(tmp_path, gold, *right)
    assert (report.items, report.missing, report.extra, report.doubled) == (4, 0, 0, 0)
    assert exact(report) == 1.0
    # Doubled, missing and extra ones are told within their locales.
    report = scores(tmp_path, gold, right[0], right[0], said(3, "de-DE"), said(1, "it-IT"), right[2])
    assert (report.items, report.missing, report.extra, report.doubled) == (4, 2, 2, 1)
    assert exact(report) == 0.5


@pytest.mark.parametrize("name", ["language", "lang", "locale"])
def test_a_language_stands_for_its_locale(tmp_path: Path, name: str) -> None:
    rows = []
    for locale, number in itertools.product(WORDS, (1, 2)):
        row = said(number, locale)
        del row["locale"]
        rows.append(row | {name: locale.partition("-")[0]})
    assert exact(scores(tmp_path, gold_of(tmp_path, *BOTH), *rows)) == 1.0


def test_predictions_without_a_locale_are_refused_where_gold_is_of_several(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: .*contains de-DE and fr-FR, which share their ids"):
        scores(tmp_path, gold_of(tmp_path, *BOTH), said(1, "de-DE"), said(1, None))


def test_predictions_of_another_locale_are_not_scored_as_gold_s(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, *BOTH[:2])
    mixed = [said(1, "de-DE"), said(2, "de-DE"), said(1, "fr-FR"), said(2, "fr-FR")]
    report = scores(tmp_path, gold, *mixed)
    assert (report.missing, report.extra, report.doubled) == (0, 2, 0)
    assert exact(report) == 1.0
    assert exact(scores(tmp_path, gold, said(1, None), said(2, None))) == 1.0
    with pytest.raises(DataError, match="No prediction matches"):
        scores(tmp_path, gold, *mixed[2:])


def test_predictions_of_several_locales_are_refused_where_gold_tells_none(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, gold_row(1, None), gold_row(2, None))
    with pytest.raises(
        DataError, match=r"line 1 and line 2 are both for '1', in the locales de-DE and fr-FR"
    ):
        scores(tmp_path, gold, said(1, "de-DE"), said(1, "fr-FR"))


def test_gold_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2 has no locale, but other rows have de-DE, fr-FR"):
        gold_of(tmp_path, BOTH[0], gold_row(1, None), BOTH[2])
    with pytest.raises(DataError, match="line 1 and line 2 are both '1' and differ"):
        gold_of(tmp_path, gold_row(1, None), gold_row(1, None, utt="1 neun", annot_utt="1 [time : neun]"))
    assert len(gold_of(tmp_path, BOTH[0], BOTH[0]).items) == 1


@pytest.mark.parametrize("names", [("scenario", "intent"), ("scenario", "intent_idx")])
def test_integer_gold_is_read_as_the_corpus_reads_it(tmp_path: Path, names: tuple[str, str]) -> None:
    numbers = dict(zip(names, (SCENARIOS.index("alarm"), INTENTS.index("alarm_set")), strict=True))
    rows = [{**gold_row(n, "de-DE", scenario=None, intent=None), **numbers} for n in (1, 2)]
    path = tmp_path / "gold.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    for gold in (gold_of_file(path), gold_of(tmp_path, *rows)):
        assert {item.meaning.intent for item in gold.items.values()} == {"alarm_set"}
        assert exact(scores(tmp_path, gold, said(1, None), said(2, None))) == 1.0
    strings = {"scenario_str": "alarm", "intent_str": "alarm_set"}
    assert len(gold_of(tmp_path, {**rows[0], **strings}).items) == 1
    with pytest.raises(DataError, match=r"line 1 .*out of range; the ontology has 18"):
        gold_of(tmp_path, {**rows[0], "scenario": 99})
    with pytest.raises(DataError, match=r"line 1 .*scenario"):
        gold_of(tmp_path, {**rows[0], **strings, "scenario": 0})


def test_locales_are_the_same_whatever_their_spelling() -> None:
    assert same_locale("de-DE", "de_de")
    assert same_locale("de-DE", "de")
    assert not same_locale("es-ES", "es-MX")
    assert not same_locale("de-DE", "fr")
