"""The suite over one strategy, from its file to its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.conformance.compose import ComposeReport, compose_twice
from slubench.conformance.declarations import strategy_declared, strategy_imports, strategy_readable
from slubench.conformance.rehearsal import TASK, Rehearsal, lay_out, write_purchases
from slubench.conformance.subject import Subject
from slubench.conformance.train_set_verdicts import import_verdict, lesson_verdicts, opened_verdict
from slubench.conformance.trial import Cast, put_on_trial
from slubench.conformance.verdict import FAIL, NOT_CHECKED, Verdict, failures
from slubench.data.editions import MINI, offers
from slubench.domain.model import Model
from slubench.pipeline.context import Machine
from slubench.registry.weights import locate
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home

BUDGETS = ("0", "2%", "100%")
HEADLINE = ("0", "2%", "5%", "10%", "25%", "100%")
SECONDS, SECONDS_THOROUGH = 60.0, 1_200.0
"""That composing may take in all."""


@dataclass(frozen=True)
class Setting:
    """Where and how much is checked.

    Attributes:
        folder: Empty; all that is written lies in it.
        engine: What answers.
        thorough: Whether the whole mini edition is learnt and asked too, beside 64 sentences of it.
        say: Told each step in a line.
    """

    folder: Path
    engine: str = "transformers"
    thorough: bool = False
    say: Callable[[str], None] = lambda line: None

    @property
    def digests(self) -> Digests:
        """Digests of the files that are read."""
        return Digests(self.folder / "digests.json")


def check_strategy(subject: Subject, setting: Setting) -> list[Verdict]:
    """Check a strategy; what can't be looked at after an earlier failure is `not checked`."""
    try:
        verdicts = [strategy_imports(subject.file)]
    except (SyntaxError, ValueError) as error:
        return [Verdict("is Python", FAIL, f"{subject.file}: {error}", "Mend its syntax."), _rest("imported")]
    model, weights = locate(subject.registry.model(MINI.model), setting.digests)
    rehearsal = lay_out(setting.folder)
    reports = _compose(subject, setting, rehearsal, model)
    verdicts.append(import_verdict(reports, subject.file))
    if any(report.error for report in reports):
        return [*verdicts, _rest("composed, trained and asked")]
    # In this process it is imported only now, when it has been seen to import.
    strategy = subject.strategy()
    verdicts += [strategy_declared(strategy, subject.file), strategy_readable(strategy, subject.file)]
    composed = lesson_verdicts(reports, strategy)
    opened = [one for report in reports for one in report.opened]
    watched = all(report.watched for report in reports)
    if failures(composed):
        access = opened_verdict(opened, watched, strategy, rehearsal.corpus)
        return [*verdicts, *composed, access, _rest("trained and asked")]
    cast = Cast(strategy, subject.file, subject.registry.task(TASK), model, weights)
    machine = Machine(Home(rehearsal.home), rehearsal.source(), setting.engine, say=setting.say)
    trial = put_on_trial(cast, BUDGETS, machine, (rehearsal.corpus,))
    access = opened_verdict([*opened, *trial.opened], watched, strategy, rehearsal.corpus)
    verdicts += [*composed, access, *trial.verdicts]
    return verdicts + _whole(cast, setting) if setting.thorough else verdicts


def _compose(
    subject: Subject, setting: Setting, rehearsal: Rehearsal, model: Model
) -> Sequence[ComposeReport]:
    """Compose on the small corpus, and in the thorough suite on all pools of the mini edition too."""
    setting.say(f"composing lessons of {subject.file.name} from 64 sentences")
    small = setting.folder / "small"
    tasks = [subject.registry.task(TASK)]
    purchases = write_purchases(small, rehearsal.source(), model, tasks, BUDGETS)
    reports = compose_twice(subject, purchases, model, small, SECONDS, (rehearsal.corpus,))
    if setting.thorough and not any(report.error for report in reports):
        mini, whole = MINI.source(None, setting.digests), setting.folder / "whole"
        tasks = [task for task in subject.registry.tasks.values() if offers(mini, task)]
        setting.say(f"composing lessons of {', '.join(task.name for task in tasks)} from their whole pools")
        purchases = write_purchases(whole, mini, model, tasks, HEADLINE, of="whole ")
        reports = [*reports, *compose_twice(subject, purchases, model, whole, SECONDS_THOROUGH)]
    return reports


def _whole(cast: Cast, setting: Setting) -> list[Verdict]:
    """Train and ask on whole pools and the whole test."""
    home = Home(setting.folder / "whole-home")
    machine = Machine(home, MINI.source(None, setting.digests), setting.engine, say=setting.say)
    trial = put_on_trial(cast, BUDGETS, machine, ())
    return [verdict._replace(requirement=f"{verdict.requirement}, whole") for verdict in trial.verdicts]


def _rest(what: str) -> Verdict:
    return Verdict(what, NOT_CHECKED, "what failed above comes first")
