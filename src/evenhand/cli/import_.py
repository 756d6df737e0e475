"""`evenhand import`: your own embeddings as a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand.cli.early import check_file
from evenhand.cli.options import (
    AttributeColumns,
    ClassNames,
    Json,
    LabelColumn,
    Seed,
    SplitBy,
    SplitColumn,
    SplitFile,
    Threads,
    examples,
    listed,
    read_mapping,
    set_threads,
)

NAME = "import"
EXAMPLES = examples(
    "evenhand import --features X.npy --table rows.csv --label-column y --out my.store",
    "evenhand import --features clip-retrieval-folder/ --label-column y --out my.store",
)


def command(
    features: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Embeddings: X.npy, .npz, .pt, .safetensors or .parquet, with :NAME if it holds several "
            "arrays; or a clip-retrieval folder. Repeat the option for parts.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Store to write.")],
    label_column: LabelColumn = "label",
    table: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet, one row per feature row; by default the other columns of Parquet features."
        ),
    ] = None,
    text_features: Annotated[
        Path | None,
        typer.Option(help="Text embeddings: T.npy or similar, one row per class in sorted order."),
    ] = None,
    vocabulary: Annotated[
        Path | None, typer.Option(help="File of words, one per line, that name slices in audit and report.")
    ] = None,
    vocabulary_features: Annotated[
        Path | None,
        typer.Option(help="Word embeddings: W.npy or similar, one row per word, from the same text tower."),
    ] = None,
    class_names: ClassNames = None,
    attribute_columns: AttributeColumns = None,
    split_column: SplitColumn = "split",
    split_by: SplitBy = None,
    split_file: SplitFile = None,
    id_column: Annotated[
        str | None,
        typer.Option(help="Column with unique row names; by default id, image_path or row numbers."),
    ] = None,
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Make a store from your own embeddings. Its projection starts as the identity."""
    set_threads(threads)
    names = read_mapping(class_names)
    for path in features:
        if not path.is_dir():
            check_file(path, "features", ".npy files or clip-retrieval's folder")
    check_file(table, "table", "a CSV or Parquet file")
    check_file(text_features, "text_features", "a .npy file")
    check_file(vocabulary, "vocabulary", "a file with one word per line")
    check_file(vocabulary_features, "vocabulary_features", "a .npy file")

    from evenhand.data.store_identity import check_free

    check_free(out)

    from evenhand.cli.store import show_store
    from evenhand.data.own_embeddings import import_embeddings

    made = import_embeddings(
        features,
        table,
        label_column=label_column,
        attribute_columns=listed(attribute_columns) or (),
        split_column=split_column,
        split_by=split_by,
        split_file=split_file,
        text_features=text_features,
        vocabulary=vocabulary,
        vocabulary_features=vocabulary_features,
        class_names=names,
        out=out,
        seed=seed,
        id_column=id_column,
    )
    show_store(made, out, notes=[*made.card["notes"], *made.notes], json=json)
