"""What a fit is given: the estimator, by name or as an object, and the arguments of its `fit`."""

from pathlib import Path
from typing import Any

import pytest

from evenhand import CFR, DFR, ERM, EvenhandError, FeatureTable, fit
from evenhand.data.partition import held_out, parts
from evenhand.methods.registry import make
from evenhand.runs.training import fit_arguments, unfitted


def test_an_estimator_is_fitted_as_its_name_with_the_same_parameters(
    table: FeatureTable, tmp_path: Path
) -> None:
    estimator = ERM(epochs=3, random_state=9)
    (by_object,) = fit(table, method=estimator, out=tmp_path / "a", seed=3).rows
    (by_name,) = fit(table, method="erm", params={"epochs": 3}, out=tmp_path / "b", seed=3).rows
    assert by_object.method == by_name.method == "erm"
    assert by_object.groups == by_name.groups
    bundles = [(tmp_path / run / "bundle.safetensors").read_bytes() for run in "ab"]
    assert bundles[0] == bundles[1]
    assert not hasattr(estimator, "model_")
    assert (estimator.head, estimator.random_state) == (None, 9)


def test_a_preset_may_be_given_by_name_or_by_object(table: FeatureTable) -> None:
    by_object = unfitted(CFR(preset="published-code"), table, 0, {}, None)[1].get_params(deep=False)
    assert by_object == unfitted("cfr", table, 0, {"preset": "published-code"}, None)[1].get_params(
        deep=False
    )
    assert by_object["preset"] == "published-code"


def test_the_table_and_the_seed_set_the_head_and_the_random_state(table: FeatureTable) -> None:
    name, estimator = unfitted(ERM(epochs=7), table, 5, {"batch_size": 16}, None)
    assert (name, estimator.random_state, estimator.epochs) == ("erm", 5, 7)  # type: ignore[attr-defined]
    assert estimator.batch_size == 16  # type: ignore[attr-defined]
    assert estimator.head is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": CFR}, r"method: <class .*CFR'> is neither a name nor an estimator; give a name such as"),
        ({"method": 3}, "method: 3 is neither a name nor an estimator"),
        ({"method": ERM(), "params": {"depth": 3}}, "params: Invalid parameter 'depth' for estimator ERM"),
        ({"method": ERM(epochs=-1)}, "epochs must be"),
        ({"method": CFR(preset="wild")}, "preset: 'wild' is unknown"),
        ({"method": "erm", "validation_from": "given"}, "validation split"),
        ({"method": "erm", "group_by": "sky"}, "group_by: 'sky' is not an attribute"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    table: FeatureTable, tmp_path: Path, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        fit(table, out=tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_an_estimator_of_no_registered_method_is_refused(table: FeatureTable, tmp_path: Path) -> None:
    class Mine(ERM):
        pass

    with pytest.raises(EvenhandError, match="Mine is not registered"):
        fit(table, method=Mine(), out=tmp_path / "run")


def test_only_methods_that_declare_groups_receive_them(table: FeatureTable) -> None:
    rows = held_out(table, 0)
    free = fit_arguments(table.with_groups("place"), rows, make("erm"), "erm")
    assert "groups" not in free
    assert len(free["validation"]) == 2
    oracle = fit_arguments(table.with_groups("place"), rows, DFR(), "dfr")
    assert oracle["groups"].tolist() == table.groups("place", rows.train).tolist()
    assert oracle["validation"][2].tolist() == table.groups("place", rows.validation).tolist()
    assert oracle["y"].tolist() == table.labels(rows.train).tolist()
    assert fit_arguments(table, parts(table, "train"), make("erm"), "erm")["validation"] is None
