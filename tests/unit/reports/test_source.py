import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evenhand import EvenhandError
from evenhand.audits.error_analysis import analyze_run
from evenhand.backbones.projection import LinearProjection
from evenhand.comparison.seal import write_sealed
from evenhand.evaluation.results import Results
from evenhand.methods.bundle import read_bundle, write_bundle
from evenhand.reports.provenance import provenance_values
from evenhand.reports.source import read_results, read_source


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run, tmp_path / "x.run"))


def test_a_run_is_told_from_a_folder_of_results(run: Path) -> None:
    results, found = read_source(run)
    assert found == run
    assert results["rows"][0]["method"] == "cfr"
    assert json.loads((run / "results.json").read_text()).keys() <= results.keys()
    (run / "card.json").unlink()
    assert read_source(run)[1] is None


def test_results_are_given_as_such_or_by_their_folder(run: Path) -> None:
    content = json.loads((run / "results.json").read_text())
    assert read_results(content) is content
    given = (Results.model_validate(content), run, str(run), run / "results.json")
    assert all(read_results(one) == read_source(run)[0] for one in given)
    with pytest.raises(EvenhandError, match=r"^results: list holds no results; give what fit or compare"):
        read_results([content])  # type: ignore[arg-type]
    for rows in (None, 3, [3], "rows"):
        with pytest.raises(EvenhandError, match=r"^results: they hold no rows; give the content of a"):
            read_results({"rows": rows})


def test_the_page_shows_a_command_that_a_shell_understands() -> None:
    results = {"rows": [], "provenance": {"command": ["evenhand", "fit", "my birds.store"]}}
    assert provenance_values(results, [], None)["command"] == "evenhand fit 'my birds.store'"
    assert provenance_values({"rows": []}, [], None)["command"] == ""


def test_settings_name_functions_without_their_address() -> None:
    results = {"rows": [], "provenance": {"rule": "Rule(<function soft_cells at 0x7f00aa>, 3)", "seeds": [0]}}
    settings = dict(provenance_values(results, [], None)["settings"])
    assert dict(settings["Results"]) == {"rule": "Rule(soft_cells, 3)", "seeds": "[0]"}


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"no readable results\.json .* give the folder that fit"):
        read_source(tmp_path)


def test_results_that_this_version_does_not_know_are_refused(run: Path) -> None:
    data = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**data, "schema": 2}))
    with pytest.raises(EvenhandError, match="is not what this version reads, at schema: "):
        read_source(run)
    (run / "results.json").write_text("{")
    with pytest.raises(EvenhandError, match="is not what this version reads, at its text: "):
        read_source(run)


def test_results_with_numbers_that_are_none_are_refused(run: Path) -> None:
    text = (run / "results.json").read_text()
    (run / "results.json").write_text(text.replace('"fit_seconds": ', '"fit_seconds": NaN, "x": ', 1))
    with pytest.raises(EvenhandError, match=r"no readable results\.json"):
        read_source(run)


def test_a_bundle_of_another_width_or_other_classes_is_refused(
    run: Path, reseal: Callable[..., None]
) -> None:
    model, classes = read_bundle(run / "bundle.safetensors")
    write_bundle(run / "bundle.safetensors", model, [f"{name}s" for name in classes])
    reseal(run)
    with pytest.raises(
        EvenhandError, match=r"has the classes gulls, jays, but the card of the run says gull"
    ):
        analyze_run(run)
    narrow = replace(model, projection=LinearProjection(model.projection.weight[:3]))
    write_bundle(run / "bundle.safetensors", narrow, classes)
    reseal(run)
    with pytest.raises(EvenhandError, match="takes features of width 3, but the card of the run says 8"):
        analyze_run(run)


def test_a_date_that_python_has_none_for_is_one_sentence(run: Path, reseal: Callable[..., None]) -> None:
    late = pa.array([2**62], pa.timestamp("us"))
    pq.write_table(pa.table({"epoch": late}), run / "history.parquet")
    reseal(run)
    with pytest.raises(EvenhandError, match=r"history\.parquet cannot be read .* run fit again"):
        analyze_run(run)


@pytest.fixture
def comparison(run: Path, tmp_path: Path) -> Path:
    """Return the folder of a comparison, sealed."""
    (tmp_path / "c" / "units").mkdir(parents=True)
    results = Results.model_validate_json((run / "results.json").read_text())
    write_sealed(results, tmp_path / "c")
    return tmp_path / "c"


def test_the_seal_of_a_comparison(comparison: Path) -> None:
    assert read_source(comparison)[1] is None
    text = (comparison / "results.json").read_text()
    (comparison / "results.json").write_text(text.replace('"value": 0.', '"value": 0.0', 1))
    with pytest.raises(EvenhandError, match=r"results\.json was changed since the comparison"):
        read_source(comparison)
    (comparison / "results.json").write_text(text)
    seal = json.loads((comparison / "seal.json").read_text())
    for content in ("{}", json.dumps({**seal, "schema": 2})):
        (comparison / "seal.json").write_text(content)
        with pytest.raises(EvenhandError, match="was changed since the comparison"):
            read_source(comparison)
    (comparison / "seal.json").write_text("[" * 100_000)
    with pytest.raises(EvenhandError, match=r"seal\.json cannot be read"):
        read_source(comparison)
    (comparison / "seal.json").unlink()
    with pytest.raises(EvenhandError, match=r"has no seal\.json, so its results\.json cannot be checked"):
        read_source(comparison)


def test_what_came_before_is_evaluated_as_fit_would(run: Path) -> None:
    models = analyze_run(run).models
    zero_shot, erm = (models.result(stage).model_dump(mode="json") for stage in models.on_test[:-1])
    assert [zero_shot["method"], erm["method"]] == ["zero_shot", "erm"]
    assert erm["difference_to_erm"]["value"] == 0
    (row,) = read_source(run)[0]["rows"]
    gain = row["worst_group"]["value"] - erm["worst_group"]["value"]
    assert row["difference_to_erm"]["value"] == pytest.approx(gain)
    assert [group["n"] for group in erm["groups"]] == [group["n"] for group in row["groups"]]


def test_a_damaged_history_is_one_sentence(run: Path, reseal: Callable[..., None]) -> None:
    (run / "history.parquet").write_bytes(b"nothing")
    reseal(run)
    with pytest.raises(EvenhandError, match=r"history\.parquet cannot be read .* run fit again"):
        analyze_run(run)
