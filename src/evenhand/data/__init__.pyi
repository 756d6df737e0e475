from .concepts import Concepts as Concepts
from .concepts import ConceptWords as ConceptWords
from .concepts import read_concept_words as read_concept_words
from .head import Head as Head
from .manifest import Manifest as Manifest
from .own_embeddings import import_embeddings as import_embeddings
from .partition import SplitRows as SplitRows
from .splits import hold_out as hold_out
from .splits import stratified_split as stratified_split
from .store import load_store as load_store
from .store import read_skipped as read_skipped
from .store import read_store as read_store
from .store import read_thumbnails as read_thumbnails
from .table import FeatureTable as FeatureTable
from .table import StoredRows as StoredRows
from .table import as_table as as_table

__all__ = [
    "ConceptWords",
    "Concepts",
    "FeatureTable",
    "Head",
    "Manifest",
    "SplitRows",
    "StoredRows",
    "as_table",
    "hold_out",
    "import_embeddings",
    "load_store",
    "read_concept_words",
    "read_skipped",
    "read_store",
    "read_thumbnails",
    "stratified_split",
]
