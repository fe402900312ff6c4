"""What a probe concludes from answers: acting, ignored, disagreeing, undecided."""

from __future__ import annotations

import pytest

from slubench.serve.probe import Probe, ProbeError, Spoken, by_question, choose, judge
from slubench.serve.replies import Reply
from slubench.serve.requests import Request


def said(*texts: str) -> Spoken:
    return by_question([Reply(f"u{i}", "speech", text, 3, "stop") for i, text in enumerate(texts)])


BASE = ("no idea",) * 8
ADAPTED = tuple(f'{{"scenario":"alarm{i}"}}' for i in range(8))


def outcome(served: Spoken, expected: Spoken, base: Spoken, served_base: Spoken, exact: bool = True) -> Probe:
    return judge(
        name="mine", served=served, expected=expected, base=base, served_base=served_base, exact=exact
    )


def test_equal_answers_that_the_adapter_changed_agree() -> None:
    found = outcome(said(*ADAPTED), said(*ADAPTED), said(*BASE), said(*BASE))
    assert found == Probe(outcome="agrees", compared=8, equal=8, alike=1.0, changed=8, changed_in_vllm=8)


@pytest.mark.parametrize("exact", [True, False])
def test_the_bases_answers_mean_an_ignored_adapter(exact: bool) -> None:
    with pytest.raises(ProbeError, match="vLLM ignores the adapter of mine: in all 8 probed replies"):
        outcome(said(*BASE), said(*ADAPTED), said(*BASE), said(*BASE), exact)


def test_vllms_own_base_tells_an_ignored_adapter() -> None:
    rounded = tuple(f"no clue {i}" for i in range(8))
    with pytest.raises(ProbeError, match="ignores"):
        outcome(said(*rounded), said(*ADAPTED), said(*BASE), said(*rounded), exact=False)


def test_an_adapter_that_changes_nothing_leaves_it_undecided() -> None:
    assert outcome(said(*BASE), said(*BASE), said(*BASE), said(*BASE)).outcome == "undecided"


def test_weights_without_an_adapter_only_have_to_agree() -> None:
    assert outcome(said(*BASE), said(*BASE), {}, {}).outcome == "agrees"


@pytest.mark.parametrize(("equal", "fine"), [(8, True), (6, True), (5, False), (0, False)])
def test_six_of_eight_must_be_equal_in_float32(equal: int, fine: bool) -> None:
    served = said(*ADAPTED[:equal], *(f"other {i}" for i in range(8 - equal)))
    if fine:
        assert outcome(served, said(*ADAPTED), said(*BASE), said(*BASE)).equal == equal
    else:
        with pytest.raises(ProbeError, match=f"disagree about mine: {equal} of 8"):
            outcome(served, said(*ADAPTED), said(*BASE), said(*BASE))


def test_bfloat16_may_end_otherwise_but_not_begin_so() -> None:
    late = said(*(text[:-2] + "!!" for text in ADAPTED))
    found = outcome(late, said(*ADAPTED), said(*BASE), said(*BASE), exact=False)
    assert (found.outcome, found.equal) == ("agrees", 0)
    assert 0.8 < found.alike < 1.0
    early = said(*("!" + text for text in ADAPTED))
    with pytest.raises(ProbeError, match="disagree"):
        outcome(early, said(*ADAPTED), said(*BASE), said(*BASE), exact=False)


def test_one_reply_turned_by_rounding_proves_nothing_in_bfloat16() -> None:
    nearly = said("no ideas", *BASE[1:])
    assert outcome(said(*BASE), nearly, said(*BASE), said(*BASE), exact=False).changed == 1
    with pytest.raises(ProbeError, match="ignores"):
        outcome(said(*BASE), nearly, said(*BASE), said(*BASE), exact=True)


@pytest.mark.parametrize(
    ("speech", "text", "chosen"),
    [(20, 20, (4, 4)), (20, 0, (8, 0)), (0, 20, (0, 8)), (20, 2, (6, 2)), (3, 20, (3, 5)), (1, 1, (1, 1))],
)
def test_half_the_questions_are_text_where_there_is_some(
    speech: int, text: int, chosen: tuple[int, int]
) -> None:
    questions = [Request(f"u{i}", "speech", ("",)) for i in range(speech)]
    questions += [Request(f"u{i}", "text", ("",)) for i in range(text)]
    found = [question.input for question in choose(questions)]
    assert (found.count("speech"), found.count("text")) == chosen
