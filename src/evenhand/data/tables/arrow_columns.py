"""Columns of any Arrow type as columns of the few types that become text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def plain_column(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array of strings, numbers or booleans; a column of records stays as it is.

    Views, extension types and run-length codes become what they stand for; times that Python cannot hold, as
    in the year 148,000, become Arrow's own text.

    Raises
    ------
    pyarrow.ArrowException
        If a value cannot be converted, such as bytes that are not UTF-8.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        return plain_column(column)
    if pa.types.is_run_end_encoded(kind):
        return plain_column(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks]))
    if kind == pa.string_view():
        # Each chunk by itself: joined, the long values of a view would be copied once a row.
        column = column.cast(pa.large_string())
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # none, or too large for one
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    if pa.types.is_dictionary(kind):
        words = plain_column(pa.chunked_array([array.dictionary]))
        return pa.DictionaryArray.from_arrays(array.indices, words)
    if pa.types.is_fixed_size_binary(kind):  # as of identifiers
        return pa.array([None if value is None else value.hex() for value in array.to_pylist()], pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array.validate(full=True)
    return _times(array) if pa.types.is_temporal(kind) else array


def _times(array: pa.Array) -> pa.Array:
    try:
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
    except (ValueError, OverflowError):
        kind = array.type
        if pa.types.is_timestamp(kind):
            array = array.cast(pa.timestamp(kind.unit))  # a zone may be one that this machine does not know
        return array.cast(pa.string())
