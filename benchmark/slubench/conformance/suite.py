"""The suite for a strategy, from its file to its predictions."""

from __future__ import annotations

from dataclasses import replace

from slubench.conformance.compose_audit import ComposeReport, compose_twice
from slubench.conformance.declarations import strategy_declared, strategy_imports, strategy_readable
from slubench.conformance.rehearsal import TASK, Rehearsal, lay_out, write_purchases
from slubench.conformance.subject import Subject
from slubench.conformance.train_set_verdicts import import_verdict, opened_verdict, train_set_verdicts
from slubench.conformance.trial import Cast, put_on_trial
from slubench.conformance.verdict import FAIL, NOT_CHECKED, Verdict, failures
from slubench.data.editions import MINI
from slubench.domain.model import Model
from slubench.pipeline.context import Context
from slubench.runtime.home import Home

BUDGETS = ("0", "2%", "100%")
HEADLINE = ("0", "2%", "5%", "10%", "25%", "100%")
SECONDS, SECONDS_THOROUGH = 60.0, 1_200.0
"""Time limit for composing, in seconds."""


def check_strategy(subject: Subject, context: Context, *, thorough: bool = False) -> list[Verdict]:
    """Check a strategy; requirements that cannot be checked after a failure are `not checked`.

    Args:
        subject: The strategy.
        context: Its home is empty; all that is written lies in it.
        thorough: Whether the whole mini edition is used too, beside 64 sentences of it.
    """
    try:
        verdicts = [strategy_imports(subject.file)]
    except (SyntaxError, ValueError) as error:
        return [Verdict("is Python", FAIL, f"{subject.file}: {error}", "Mend its syntax."), _rest("imported")]
    model, weights = context.locate(subject.registry.model(MINI.model))
    rehearsal = lay_out(context.home.root)
    reports = _compose(subject, context, rehearsal, model)
    if thorough and not any(report.error for report in reports):
        reports += _compose_whole(subject, context, model)
    verdicts.append(import_verdict(reports, subject.file))
    if any(report.error for report in reports):
        return [*verdicts, _rest("composed, trained and predicted")]
    # In this process it is imported only now, when it has been seen to import.
    strategy = subject.strategy()
    verdicts += [strategy_declared(strategy, subject.file), strategy_readable(strategy, subject.file)]
    composed = train_set_verdicts(reports, strategy)
    opened = [one for report in reports for one in report.opened]
    watched = all(report.watched for report in reports)
    if failures(composed):
        access = opened_verdict(opened, watched, strategy, rehearsal.corpus)
        return [*verdicts, *composed, access, _rest("trained and asked")]
    cast = Cast(strategy, subject.file, subject.registry.task(TASK), model, weights)
    rehearsing = replace(context, home=Home(rehearsal.home), sources={MINI.name: rehearsal.source()})
    trial = put_on_trial(cast, BUDGETS, rehearsing, (rehearsal.corpus,))
    access = opened_verdict([*opened, *trial.opened], watched, strategy, rehearsal.corpus)
    verdicts += [*composed, access, *trial.verdicts]
    return verdicts + _whole(cast, context) if thorough else verdicts


def _compose(subject: Subject, context: Context, rehearsal: Rehearsal, model: Model) -> list[ComposeReport]:
    """Compose on the small corpus."""
    context.say(f"composing training sets of {subject.file.name} from 64 sentences")
    small = context.home.root / "small"
    tasks = [subject.registry.task(TASK)]
    purchases = write_purchases(small, rehearsal.source(), model, tasks, BUDGETS)
    return compose_twice(subject, purchases, model, small, SECONDS, (rehearsal.corpus,))


def _compose_whole(subject: Subject, context: Context, model: Model) -> list[ComposeReport]:
    """Compose on all pools of the mini edition."""
    whole, tasks = context.home.root / "whole", context.offered(MINI)
    context.say(f"composing on the whole pools of {', '.join(task.name for task in tasks)}")
    purchases = write_purchases(whole, context.source(MINI.name), model, tasks, HEADLINE, of="whole ")
    return compose_twice(subject, purchases, model, whole, SECONDS_THOROUGH)


def _whole(cast: Cast, context: Context) -> list[Verdict]:
    """Train and predict with whole pools and the whole test."""
    trial = put_on_trial(cast, BUDGETS, replace(context, home=Home(context.home.root / "whole-home")), ())
    return [verdict._replace(requirement=f"{verdict.requirement}, full") for verdict in trial.verdicts]


def _rest(what: str) -> Verdict:
    return Verdict(what, NOT_CHECKED, "fix the failures above first")
