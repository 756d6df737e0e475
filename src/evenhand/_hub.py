"""Errors of the Hugging Face Hub's client, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evenhand._errors import EvenhandError


@contextmanager
def says_what_the_hub_said(subject: str, instead: str) -> Iterator[None]:
    """Turn errors of the Hub's client into one sentence.

    Parameters
    ----------
    subject : str
        Subject of the sentence.
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
            f"{subject}: the Hub has nothing with this name; check the name, or log in with `hf auth login` "
            "if it is "
            "private"
        ) from error
    except Exception as error:  # the client's HTTP library, and with it the exception, differs by version
        cause = (
            error.__cause__ if type(error) is RuntimeError and error.__cause__ else error
        )  # amid an upload
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status in (401, 403):
            raise EvenhandError(
                f"{subject}: the Hub refuses this login (status {status}); log in with `hf auth login`, "
                f"set HF_TOKEN to a token that may, or {instead}"
            ) from error
        reason = " ".join(str(cause).partition("\nFor more information check:")[0].split())
        raise EvenhandError(
            f"{subject}: the Hub cannot be reached or refuses ({reason}); check the connection, or {instead}"
        ) from error


def ask(path: str) -> Any:
    """Return the Hub's response to one request of the user who is logged in, after ten seconds at most."""
    from huggingface_hub import constants, get_session, get_token

    # HfApi().whoami() would wait without an end for a server that says nothing.
    return get_session().get(
        f"{constants.ENDPOINT}/api/{path}",
        headers={"authorization": f"Bearer {get_token()}"},
        timeout=constants.DEFAULT_REQUEST_TIMEOUT,
    )
