from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError, Manifest
from evenhand.datasets.chexpert import SIZES, CheXpert

from .conftest import picture, table

HEAD = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Pneumonia,Support Devices"
STATES = ("1.0", "0.0", "-1.0", "")
FOUND = {"train.csv": 80, "valid.csv": 8}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """40 patients of two images in train.csv, 4 in valid.csv; the folder is not called as in the paths."""
    root = tmp_path / "chexpert"
    for part, patients in (("train", range(40)), ("valid", range(40, 44))):
        rows = []
        for p in patients:
            for view in ("view1_frontal", "view2_lateral"):
                name = f"{part}/patient{p:05d}/study1/{view}.jpg"
                picture(root / name)
                sex = "Unknown" if p == 3 else ("Male", "Female")[p % 2]
                states = (STATES[p % 2], STATES[p % 4], STATES[(p + 1) % 4])
                rows.append((f"CheXpert-v1.0-small/{name}", sex, 50, "Frontal", "AP", *states))
        table(root / f"{part}.csv", HEAD, rows)
    return root


def demographics(data: Path) -> None:
    races = (
        "White, non-Hispanic",
        "Black or African American",
        "Asian",
        "Other",
        "Race and Ethnicity Unknown",
        "",
    )
    rows = [(f"patient{p:05d}", f'"{races[p % 6]}"') for p in range(43)]
    table(data / "CHEXPERT DEMO.csv", "PATIENT,PRIMARY_RACE", rows)


def labels(found: Manifest) -> list[str]:
    return np.asarray(found.classes)[found.y].tolist()


def test_the_official_sizes_are_expected(data: Path) -> None:
    assert SIZES == {"train.csv": 223414, "valid.csv": 234}
    with pytest.raises(EvenhandError, match=r"CheXpert: train.csv has 80 rows, CheXpert has 223,414"):
        CheXpert().load(data, data)


def test_labels_and_sex(data: Path) -> None:
    found = CheXpert(expected=FOUND).load(data.parent / "chexpert", data)
    assert found.classes == ("a finding", "no finding")
    assert found.ids[0] == "train/patient00000/study1/view1_frontal.jpg"
    assert labels(found)[:4] == ["no finding", "no finding", "a finding", "a finding"]
    assert found.attributes["sex"][:8:2].tolist() == ["male", "female", "male", ""]


def test_a_patient_is_in_one_split_and_the_shares_are_of_patients(data: Path) -> None:
    found = CheXpert(expected=FOUND).load(data, data)
    patients = np.array([name.split("/")[1] for name in found.ids])
    splits = {patient: set(found.split[patients == patient]) for patient in patients}
    assert all(len(of) == 1 for of in splits.values())
    sizes = {name: sum(of == {name} for of in splits.values()) for name in ("train", "validation", "test")}
    assert sizes == {"train": 33, "validation": 4, "test": 7}
    assert (CheXpert(expected=FOUND, seed=1).load(data, data).split != found.split).any()
    assert (CheXpert(expected=FOUND).load(data, data).split == found.split).all()


def test_the_given_split_tests_on_valid_csv(data: Path) -> None:
    found = CheXpert(split="given", expected=FOUND).load(data, data)
    assert (found.split == "train").sum() == 80
    assert all(name.startswith("valid/") for name in found.ids[found.split == "test"])


@pytest.mark.parametrize(
    ("policy", "rows", "present"), [("absent", 88, 22), ("present", 88, 44), ("drop", 66, 22)]
)
def test_uncertain_labels_follow_the_policy(data: Path, policy: str, rows: int, present: int) -> None:
    found = CheXpert(label="Pneumonia", uncertain=policy, expected=FOUND).load(data, data)
    assert len(found) == rows
    assert labels(found).count("pneumonia") == present
    assert labels(found).count("no pneumonia") == rows - present


@pytest.mark.parametrize(("policy", "fourth"), [("unknown", ""), ("absent", "without"), ("present", "with")])
def test_uncertain_devices_follow_the_policy(data: Path, policy: str, fourth: str) -> None:
    task = CheXpert(attribute="support devices", uncertain_device=policy, expected=FOUND)
    devices = task.load(data, data).attributes["support devices"][:8:2].tolist()
    uncertain = f"{fourth} devices" if fourth else ""
    assert devices == ["without devices", uncertain, "without devices", "with devices"]


def test_race_comes_from_the_demographics(data: Path) -> None:
    demographics(data)
    found = CheXpert(attribute="race", expected=FOUND).load(data, data).attributes["race"]
    assert found[:12:2].tolist() == ["White", "Black", "Asian", "other", "", ""]
    assert found[-1] == ""  # not in the table
    both = CheXpert(attribute="sex and race", expected=FOUND).load(data, data).attributes["sex and race"]
    assert both[:10:2].tolist() == ["male, White", "female, Black", "male, Asian", "", ""]


def test_absent_demographics_are_told_with_a_remedy(data: Path) -> None:
    with pytest.raises(
        EvenhandError, match=r"race is in CHEXPERT DEMO.csv, which is not in .*; get that table"
    ):
        CheXpert(attribute="race", expected=FOUND).load(data, data)
    (data / "CHEXPERT DEMO.xlsx").write_bytes(b"PK")
    with pytest.raises(
        EvenhandError, match=r"cannot read the table .*CHEXPERT DEMO.xlsx: it is not a workbook"
    ):
        CheXpert(attribute="race", expected=FOUND).load(data, data)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("uncertain", "absent, present, drop"),
        ("uncertain_device", "unknown, absent, present"),
        ("attribute", "sex, race, sex and race, support devices"),
        ("split", "patients, given"),
    ],
)
def test_unknown_policies_are_refused(data: Path, name: str, allowed: str) -> None:
    with pytest.raises(EvenhandError, match=rf"^{name}: 'odd' is unknown; the allowed values are {allowed}"):
        CheXpert(**{name: "odd"}).load(data, data)


def test_an_unknown_observation_is_told_with_the_columns(data: Path) -> None:
    with pytest.raises(EvenhandError, match="has no column 'Cough'; its columns are Path, Sex"):
        CheXpert(label="Cough", expected=FOUND).load(data, data)


def test_prompts_name_every_class(data: Path) -> None:
    for label in ("No Finding", "Pneumonia"):
        task = CheXpert(label=label, expected=FOUND)
        assert set(task.prompts()) == set(task.load(data, data).classes)


@pytest.mark.parametrize("name", ["train.csv", "valid.csv"])
def test_missing_tables_are_named(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(EvenhandError, match=f"CheXpert: {name} is not in"):
        CheXpert(expected=FOUND).load(data, data)
