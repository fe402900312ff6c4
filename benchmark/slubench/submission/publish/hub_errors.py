"""What the Hub refuses, as errors that a user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from slubench.errors import MissingError, UsageError


@contextmanager
def hub_errors(repository: str) -> Iterator[None]:
    """Turn the errors of an upload into messages.

    Args:
        repository: As in `owner/name`.

    Raises:
        UsageError: The name is none for a repository.
        MissingError: The Hub refuses.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    try:
        yield
    except HFValidationError as error:
        raise UsageError(f"--to {repository}: {error}") from None
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MissingError(
            f"The Hub refused {repository}: {reason}. Log in with `hf auth login`, or set HF_TOKEN to a"
            " token with write access."
        ) from None
