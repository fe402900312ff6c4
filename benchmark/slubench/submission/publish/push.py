"""Pushes an adapter to the Hub: weights, config, card, and a model card with its results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slubench.board.read.scores import read_file
from slubench.domain.metric import Metric
from slubench.errors import MissingError, UsageError
from slubench.registry import Registry
from slubench.registry.adapters import Adapter, find_card
from slubench.runtime.files import write_text
from slubench.runtime.home import Home
from slubench.runtime.redaction import without_paths
from slubench.submission.kept_runs import KeptRun, find_kept
from slubench.submission.publish.hub_errors import hub_errors
from slubench.submission.published_fields import public_content

TASK_TYPE = "audio-text-to-text"


def push(name: str, repository: str, home: Home, registry: Registry, *, public: bool = False) -> str:
    """Upload an adapter as one commit; the repository is created if necessary.

    Args:
        name: See `slubench.submission.kept_runs.find_kept`; all it means must share one adapter.
        repository: As in `owner/name`.
        home: Where runs are kept.
        registry: Declarations of tasks and models.
        public: Whether a repository that is made anew is public.

    Returns:
        The commit's address.

    Raises:
        UsageError: The name means nothing, several adapters, or a model as it is.
        MissingError: The weights are not kept, or the Hub refuses.
    """
    from huggingface_hub import HfApi

    kept = find_kept(home, [name])
    with TemporaryDirectory(prefix="slubench-push-") as folder:
        lay_out(kept, Path(folder), home, registry)
        with hub_errors(repository):
            api = HfApi(library_name="slubench")
            api.create_repo(repository, private=not public, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repository, folder_path=folder, commit_message=f"{kept[0].row['run']}, by slubench"
            )
    return str(commit.commit_url)


def lay_out(kept: Sequence[KeptRun], folder: Path, home: Home, registry: Registry) -> None:
    """Write all files of an adapter's repository.

    Args:
        kept: Its scored runs.
        folder: Where to.
        home: Where the adapter is.
        registry: Declarations of tasks and models.
    """
    card, weights = _adapter(kept, home)
    for file in card.sha256:
        shutil.copyfile(weights / file, folder / file)
    model = registry.model(card.base)
    base = model.name if Path(model.repository).is_absolute() else model.repository
    if (config := weights / "adapter_config.json").is_file():
        told = without_paths(json.loads(config.read_text("utf-8"))) | {"base_model_name_or_path": base}
        write_text(folder / "adapter_config.json", json.dumps(told, indent=1))
    write_text(folder / "card.json", json.dumps(public_content(card), indent=1, ensure_ascii=False))
    rows = [row for one in kept for row in _headline(one, registry.metrics)]
    write_text(folder / "README.md", _model_card(card, base, rows, registry))
    entries = list(_entries(rows, registry))
    if entries:
        import yaml

        write_text(folder / ".eval_results" / "slubench.yaml", yaml.safe_dump(entries, sort_keys=False))


def _adapter(kept: Sequence[KeptRun], home: Home) -> tuple[Adapter, Path]:
    trained = {str(one.row["train_fingerprint"]) for one in kept}
    if len(trained) > 1:
        raise UsageError(
            f"{len(trained)} adapters have that name; give a unique one, as in `slubench list runs`."
        )
    card = find_card(home, trained.pop())
    folder = None if card is None else card.folder(home)
    if card is not None and folder is None:
        raise UsageError(
            f"{kept[0].row['run']} is the base model without an adapter, so there is nothing to push."
        )
    if card is None or folder is None or not all((folder / name).is_file() for name in card.sha256):
        raise MissingError(
            f"The weights of {kept[0].row['run']} are not in {home.adapters}; train the adapter again."
        )
    return card, folder


def _headline(one: KeptRun, metrics: Mapping[str, Metric]) -> Iterator[Mapping[str, Any]]:
    for row in read_file(one.path).to_pylist():
        metric = metrics.get(row["metric"])
        if row["slice_by"] == "all" and row["normalised"] and metric is not None and metric.headline:
            yield row


def _dataset(row: Mapping[str, Any], registry: Registry) -> tuple[str, str]:
    """The Hub repository and config of a row's test set; none for the mini edition."""
    task = registry.task(row["task"])
    repositories = task.corpus.repositories
    if row["edition"] != "full" or not repositories:
        return f"slubench-{row['edition']}", row["task"]
    test = next((name for name in repositories if name.endswith(f"-{task.test}")), repositories[0])
    return test, task.corpus.locales[task.test_in]


def _model_card(card: Adapter, base: str, rows: Sequence[Mapping[str, Any]], registry: Registry) -> str:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    results = []
    for row in rows:
        dataset, config = _dataset(row, registry)
        results.append(
            EvalResult(
                task_type=TASK_TYPE,
                task_name=row["task"],
                dataset_type=dataset,
                dataset_name=f"{row['corpus']} ({row['edition']} edition)",
                dataset_config=config,
                dataset_split=registry.task(row["task"]).test,
                metric_type=row["metric"],
                metric_name=f"{registry.metrics[row['metric']].title}, normalised, {row['input']} input",
                metric_value=round(100 * row["value"], 2),
                # Results of one test share all else: what tells them apart is the metric's own.
                metric_args={"input": row["input"], "engine": row["engine"], "proof": row["tier"]},
            )
        )
    data = ModelCardData(
        # The embedded model is in no repository.
        base_model=base if "/" in base else None,
        library_name="peft" if card.track != "full" else "transformers",
        license="other",
        license_name=card.licence or None,
        language=sorted({row["test_in"] for row in rows}),
        tags=["slubench", "spoken-language-understanding", card.strategy],
        model_name=card.name,
        eval_results=results,
    )
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_text(card, base, rows, registry)}"))


def _text(card: Adapter, base: str, rows: Sequence[Mapping[str, Any]], registry: Registry) -> str:
    ledger = card.ledger
    heard = ", ".join(f"{count} clips in {name}" for name, count in ledger.clips_unique.items()) or "no clip"
    mini = "\nThe mini edition is a test of the software, not evidence about strategies.\n"
    table = "\n".join(
        f"| {row['task']} | {row['input']} | {row['engine']} | {registry.metrics[row['metric']].title}"
        f" | {100 * row['value']:.1f}"
        f" | {100 * row['low']:.1f} to {100 * row['high']:.1f} |"
        for row in rows
    )
    return f"""# {card.name}

An adapter of {base}, trained by slubench with the strategy `{card.strategy}` at a
speech budget of {card.budget} (data seed {card.data_seed}, train seed {card.train_seed}, track {card.track},
{card.edition} edition): {heard}, {ledger.minutes_bought:.1f} minutes bought, {sum(ledger.updates)} updates.
{mini if card.edition == "mini" else ""}
| task | input | engine | metric | out of 100, normalised | 95 % interval of test sampling |
|---|---|---|---|---|---|
{table}

Terms inherited from corpus and model: {card.licence}. What the base model's authors state about these corpora
in its training data: {registry.model(card.base).exposure or "nothing"}
Everything else that identifies it is in `card.json`.
"""


def _entries(rows: Sequence[Mapping[str, Any]], registry: Registry) -> Iterator[dict[str, Any]]:
    """The main score by the Hub's newer form, for tests that are on the Hub."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    for row in rows:
        if row["edition"] == "full" and row["metric"] == "slu_f1":
            dataset, config = _dataset(row, registry)
            notes = f"SLU-F1, normalised; {row['input']} input; {row['strategy']} at {row['speech']}"
            entry = EvalResultEntry(
                dataset_id=dataset,
                task_id=f"{config}-{row['input']}",
                value=round(100 * row["value"], 2),
                date=row["created"].date().isoformat(),
                notes=notes,
            )
            yield from eval_result_entries_to_yaml([entry])
