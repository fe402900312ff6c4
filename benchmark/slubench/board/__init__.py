"""The leaderboard's code: turns score files into a static site or a table for the terminal."""

from slubench.board.read.scores import read_scores, score_files
from slubench.board.site.build import BuildResult, build
from slubench.board.terminal import panel_tables, result_table
from slubench.board.view import find_views

__all__ = [
    "BuildResult",
    "build",
    "find_views",
    "panel_tables",
    "read_scores",
    "result_table",
    "score_files",
]
