"""What the client of the Hugging Face Hub raises, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evenhand._errors import EvenhandError


@contextmanager
def says_what_the_hub_said(subject: str, instead: str) -> Iterator[None]:
    """Turn what the Hub's client raises into a sentence.

    Parameters
    ----------
    subject : str
        What the sentence is about.
    instead : str
        What else the user can do.

    Raises
    ------
    EvenhandError
        In the place of any other exception, and where HF_HUB_OFFLINE is set.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:  # reported before more of the client is imported
        raise EvenhandError(f"{subject}: HF_HUB_OFFLINE is set; unset it, or {instead}")

    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        yield
    except EvenhandError:
        raise
    except (FileNotFoundError, RepositoryNotFoundError) as error:
        raise EvenhandError(
            f"{subject}: the Hub has none of this name; check it, or log in with `hf auth login` if it is "
            "private"
        ) from error
    except Exception as error:  # the client's HTTP library, and with it the exception, differs by version
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise EvenhandError(
                f"{subject}: the Hub refuses this login (status {status}); log in with `hf auth login`, or "
                f"set HF_TOKEN to a token that may, and {instead}"
            ) from error
        reason = " ".join(str(error).split())
        raise EvenhandError(
            f"{subject}: the Hub cannot be reached or refuses ({reason}); check the connection, or {instead}"
        ) from error
