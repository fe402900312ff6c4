"""A hook of mkdocs: links to files of the repository that are not pages of the documentation site."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s:]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Link to the repository where `repo_url` tells it, and show the path otherwise.

    Args:
        markdown: The page's source.
        page: Tells the page's place below `docs/`.
        config: Of the site.
        files: All pages and images.
    """

    def replaced(link: re.Match[str]) -> str:
        text, target = link.groups()
        place, _, _ = target.partition("#")
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), place))
        known = files.get_file_from_path(posixpath.relpath(path, "docs"))
        if not place or (known is not None and known.inclusion.is_included()):
            return link.group()
        if config.repo_url:
            return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{path})"
        return f"{text} (`{path}`)" if path not in text else f"`{path}`"

    return _LINK.sub(replaced, markdown)
