"""The progress bar of training, prediction and decoding: what, bar, count and time left, then the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def progress_bar(console: Console, *, transient: bool = False, redirects: bool = True) -> Progress:
    """A bar whose tasks have the fields `verb` and `figures`; their description is the name.

    The name comes last and is cut where the terminal ends, since it alone may be longer than a line.

    Args:
        console: Where it is drawn; nothing is drawn if that is no terminal.
        transient: Whether it disappears at the end.
        redirects: Whether what others print meanwhile goes above the bar, in place of where it went.
    """
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    class CountColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.completed:,.0f}/{task.total or 0:,.0f}", style="progress.download")

    class TimeLeftColumn(ProgressColumn):
        max_refresh = 0.5
        _remaining = TimeRemainingColumn(elapsed_when_finished=True)

        def render(self, task: Task) -> Text:
            text = self._remaining.render(task)
            return text if task.finished else text.append(" left")

    class NameColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            parts = (str(task.fields.get("figures", "")), task.description)
            return Text("  ".join(part for part in parts if part), no_wrap=True, overflow="ellipsis")

    return Progress(
        TextColumn("{task.fields[verb]}", markup=False),
        BarColumn(bar_width=8 if console.width < 80 else 16 if console.width < 110 else 30),
        CountColumn(),
        TimeLeftColumn(),
        NameColumn(Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        console=console,
        expand=True,
        transient=transient,
        redirect_stdout=redirects,
        redirect_stderr=redirects,
        disable=not console.is_terminal,
    )


def told_left(seconds: float) -> str:
    """Seconds that remain, for a line of a log: as in `1:05:20 left` or `40 s left`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s left"
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return (f"{hours}:{minutes:02}:{last:02}" if hours else f"{minutes}:{last:02}") + " left"
