"""What the pages point to outside: code, documentation, the paper; and how to cite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata, version
from urllib.parse import urlsplit

from slubench.errors import UsageError

PAPER = "https://arxiv.org/abs/2509.15389"
TITLES = {"code": "Code", "docs": "Docs"}
_LABELS = {
    "code": ("source", "source code", "repository", "code", "homepage"),
    "docs": ("documentation", "docs"),
}
"""Labels of a package's addresses that may tell each."""


def outward_links(given: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Titles and addresses for the head of the page; what nobody tells is left out.

    Args:
        given: Addresses of `code` and `docs`; by default those that the installed package tells.
    """
    told = _of_package() | {name: address for name, address in (given or {}).items() if address}
    outside = [(TITLES[name], told[name]) for name in TITLES if name in told]
    return [*outside, ("Paper", PAPER), ("Submit yours", "#submit"), ("Cite", "#cite")]


def checked_address(option: str, address: str) -> str:
    """An address that a page may link to.

    Raises:
        UsageError: It is none of the web.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname or any(c.isspace() for c in address):
        raise UsageError(f"{option} {address}: expected a web address, as in https://example.org/docs.")
    return address


def citation(code: str = "") -> str:
    """Slubench as BibTeX; the repository's CITATION.cff says the same.

    Args:
        code: Address of the code, where it is known.
    """
    fields = [
        (
            "title",
            "{slubench: a benchmark of fine-tuning strategies for large audio language models on spoken"
            " language understanding}",
        ),
        ("author", "{{The slubench authors}}"),
        ("year", "{2026}"),
        ("version", f"{{{_version()}}}"),
        *([("url", f"{{{code}}}")] if code else []),
    ]
    return _entry("software", "slubench", fields)


def paper_citation() -> str:
    """The paper that slubench grows from, as BibTeX."""
    title = (
        "{Exploring Fine-Tuning of Large Audio Language Models for Spoken Language Understanding under"
        " Limited Speech Data}"
    )
    fields = [
        ("title", title),
        ("author", "{Choi and others}"),
        ("year", "{2025}"),
        ("eprint", "{2509.15389}"),
        ("archivePrefix", "{arXiv}"),
    ]
    return _entry("misc", "choi2025exploring", fields)


def _entry(kind: str, key: str, fields: Sequence[tuple[str, str]]) -> str:
    inside = ",\n".join(f"  {name} = {value}" for name, value in fields)
    return f"@{kind}{{{key},\n{inside}\n}}"


def _version() -> str:
    try:
        return version("slubench")
    except PackageNotFoundError:
        return "0"


def _of_package() -> dict[str, str]:
    try:
        lines = metadata("slubench").get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    told = {
        label.strip().lower(): address.strip() for label, _, address in (one.partition(",") for one in lines)
    }
    return {
        name: next(told[label] for label in labels if label in told)
        for name, labels in _LABELS.items()
        if any(label in told for label in labels)
    }
