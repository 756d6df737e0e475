"""Checks of the features and labels that a caller gives to a method: arrays, or rows of a store."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.data.arrays.scale import check_scale
from evenhand.data.table import StoredRows
from evenhand.methods.label_codes import lookup


class CheckedInputs:
    """The part of an estimator that checks its input."""

    streams: ClassVar[bool]
    n_features_in_: int
    classes_: Any

    def _training(self, X: Any, y: Any) -> tuple[Floats | StoredRows, Any]:
        if not isinstance(X, StoredRows):
            features, labels = validate_data(self, X, y, dtype=np.float32, order="C")
            check_scale(features)
            return features, labels
        if not self.streams:
            raise EvenhandError(
                f"X: {type(self).__name__} takes its features as an array in memory, not as rows of a store; "
                "give table.features(rows), or choose a method that streams, such as CFR or ERM"
            )
        check_consistent_length(X, y)
        self.n_features_in_ = X.shape[1]
        return X, column_or_1d(y)

    def _features(self, X: Any) -> Floats | StoredRows:
        if isinstance(X, StoredRows):
            # A store holds only finite numbers, so only the width can be wrong.
            if X.shape[1] != self.n_features_in_:
                raise EvenhandError(
                    f"X has {X.shape[1]} columns but {type(self).__name__} was fitted on "
                    f"{self.n_features_in_}; use features of one store"
                )
            return X
        features: Floats = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        check_scale(features)
        return features

    def _validation(self, given: Any) -> tuple[Floats | StoredRows, Ints, Any]:
        """Return features [M, D_in], codes [M] and groups [M] or None; M = 0 if none are given."""
        if given is None:
            empty = np.zeros((0, self.n_features_in_), dtype=np.float32)
            return empty, np.zeros(0, dtype=np.int64), None
        X, y, *groups = given
        features, codes = self._features(X), lookup(self.classes_, np.asarray(y))
        if len(features) != len(codes):
            raise EvenhandError(
                f"validation: {len(features)} rows of features but {len(codes)} labels; give a label per row"
            )
        return features, codes, groups[0] if groups else None
