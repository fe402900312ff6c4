"""Uploads the built leaderboard to the Hub as a static Space."""

from __future__ import annotations

from pathlib import Path

from slubench.submission.publish.hub_errors import hub_errors

SPACE_CARD = """---
title: slubench leaderboard
emoji: \N{BAR CHART}
colorFrom: blue
colorTo: gray
sdk: static
app_file: index.html
pinned: false
license: apache-2.0
short_description: Fine-tuning strategies for speech understanding
tags:
  - leaderboard
  - slubench
  - spoken-language-understanding
---

The leaderboard of slubench, a benchmark of fine-tuning strategies for large audio language models on spoken
language understanding. The page is static: `slubench leaderboard push` writes it from score files.
"""
"""What the Hub reads to serve the folder as a page; README.md of the Space."""


def push_site(site: Path, repository: str, *, public: bool = False) -> str:
    """Upload a built page as one commit; files of former pages go, the Space is created if necessary.

    Args:
        site: Folder of the page.
        repository: As in `owner/name`.
        public: Whether a Space that is made anew is public.

    Returns:
        The commit's address.

    Raises:
        UsageError: The name is none for a repository.
        MissingError: The Hub refuses.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi

    files = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
    with hub_errors(repository):
        api = HfApi(library_name="slubench")
        api.create_repo(repository, repo_type="space", space_sdk="static", private=not public, exist_ok=True)
        there = set(api.list_repo_files(repository, repo_type="space"))
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            CommitOperationAdd("README.md", SPACE_CARD.encode()),
            *(CommitOperationAdd(name, path) for name, path in files.items()),
            # Only what a page leaves behind: other files of the Space are its owner's.
            *(CommitOperationDelete(name) for name in sorted(there - files.keys()) if _of_a_page(name)),
        ]
        commit = api.create_commit(
            repository, operations, commit_message="Leaderboard, by slubench", repo_type="space"
        )
    return str(commit.commit_url)


def _of_a_page(name: str) -> bool:
    return name.startswith(("assets/", "strategies/", "api/")) or name in ("run.html", "scores.parquet")
