"""`evenhand review`: about forty answers on images, and what they say about a shortcut."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._outputs import check_writable, keep_apart
from evenhand.cli.early import check_file, store_and_run
from evenhand.cli.options import Json, Seed, Threads, examples, one_of, set_threads

if TYPE_CHECKING:
    from evenhand.data.table import FeatureTable
    from evenhand.review.answers import Answer
    from evenhand.review.rows import ReviewRows

NAME = "review"
EXAMPLES = examples(
    'evenhand review birds.run --question "Is there water in the background?" --attribute water',
    "evenhand review birds.store --question … --list --out rows.csv",
    "evenhand review birds.store --answers rows.csv --write water",
)
Use = Literal["evaluation", "training"]


def command(
    source: Annotated[
        Path, typer.Argument(metavar="STORE|RUN", help="Store, or run whose model is evaluated.")
    ],
    question: Annotated[
        str | None,
        typer.Option(help="Yes-or-no question about an image; by default about a word that the audit names."),
    ] = None,
    attribute: Annotated[
        str | None, typer.Option(help="Short name of the attribute, for the file of answers.")
    ] = None,
    rows: Annotated[int, typer.Option(min=4, max=2000, help="Number of images to ask about.")] = 40,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="CSV of answers with the columns id and answer (yes, no, unclear), instead of the page."
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Write the CSV of images to ask about to --out, and stop.")
    ] = False,
    write: Annotated[
        str | None, typer.Option(help="Add the estimated attribute to the store under this name.")
    ] = None,
    use: Annotated[
        Use, one_of(Use, "What the written attribute may be used for: evaluation, or training as well.")
    ] = "evaluation",
    out: Annotated[
        Path | None, typer.Option(help="CSV file to write the answers to; the same command resumes it.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 is a free one.")] = 0,
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Ask about some images on a local web page, and estimate groups.

    The answers also give the worst-group accuracy and a verdict on the shortcut.

    The page has the keys 1 (yes), 2 (no), 0 (cannot tell) and u (undo). Nothing is sent to another host.
    """
    set_threads(threads)
    check_file(answers, "answers", "a CSV with the columns id and answer")
    if list_ and (out is None or answers is not None):
        raise EvenhandError(
            "--list: it writes the images to ask about to --out; give --out, and leave out --answers"
        )
    store, run = store_and_run(source)
    if out is not None:
        check_writable(out)
        keep_apart(out, [store])
        if list_ and out.exists():
            raise EvenhandError(f"--out: {out} exists, and --list writes a new file; name another")

    from evenhand.data.store import load_store
    from evenhand.review.answers import question_of, read_answers

    table = load_store(store)
    # Answers that cannot be read are reported before torch is imported.
    given = {} if answers is None else read_answers(answers, table, question)

    from evenhand.cli.review_tables import show_estimate
    from evenhand.cli.suggest import suggest
    from evenhand.review.estimate import estimate_on, write_attribute
    from evenhand.review.rows import review_rows

    if answers is not None:
        question = question or question_of(answers) or f"(not said in {answers.name})"
        reviewed = review_rows(table, run=run, seed=seed)
    else:
        question, attribute = _asked(question, attribute, table, run, seed)
        file = out or store.with_name(f"{store.stem}.{_plain(attribute)}.csv")
        reviewed = review_rows(table, run=run, seed=seed)
        if list_:
            _list(reviewed, question, file, rows, seed)
            suggest("review", run or store, "--answers", file)
            return
        given = _ask(reviewed, question, file, rows, port, seed)
    estimate = estimate_on(reviewed, given, question=question, seed=seed)
    if write is not None:
        write_attribute(table, estimate, write, used_for=use)
    show_estimate(estimate, json=json)
    if not json:
        _suggest_next(store, run, answers or file, attribute, write)


def _asked(
    question: str | None, attribute: str | None, table: FeatureTable, run: Path | None, seed: int
) -> tuple[str, str]:
    """Return the question and the short name of what it asks, from the audit if the user gives none."""
    if question is not None:
        if not question.strip():
            raise EvenhandError("--question: it is empty; ask something that yes or no answers")
        return question, attribute or "answers"

    from evenhand.cli.show import say

    say("no --question: the audit looks for a word to ask about")

    from evenhand.audits.question import about
    from evenhand.review.question import audited_word

    word = audited_word(table, run=run, seed=seed)
    return about(word), attribute or word


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "answers"


def _list(rows: ReviewRows, question: str, out: Path, n: int, seed: int) -> None:
    from evenhand.cli.show import clean, console
    from evenhand.review.answers import write_answers
    from evenhand.review.choose import choose_rows

    chosen = choose_rows(rows, {}, n, seed)
    write_answers(out, rows.table, question, [(row, "", why) for row, why in chosen])
    console().print(
        clean(f"{out}: {number_of(len(chosen), 'image')}; fill in yes, no or unclear"), soft_wrap=True
    )


def _ask(rows: ReviewRows, question: str, file: Path, n: int, port: int, seed: int) -> dict[int, Answer]:
    """Serve the page until the user finishes or interrupts, and return the answers."""
    from evenhand.cli.show import say
    from evenhand.review.server import ReviewServer
    from evenhand.review.session import ReviewSession

    session = ReviewSession(rows, question, file, n, seed)
    with ReviewServer(session, port) as server:
        say(f"open {server.url}")
        say(f"answers are kept in {file}; finish on the page, or press Ctrl-C here")
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return session.answers


def _suggest_next(
    store: Path, run: Path | None, answers: Path, attribute: str | None, write: str | None
) -> None:
    from evenhand.cli.suggest import suggest

    if write is None:
        name = attribute or answers.stem.split(".")[-1]
        suggest("review", run or store, "--answers", answers, "--write", _plain(name))
    else:
        against: list[str | Path] = [] if run is None else ["--against", run]
        suggest("audit", store, *against, "--group-by", write)
