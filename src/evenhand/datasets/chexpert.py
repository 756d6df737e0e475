"""CheXpert, the small version: chest X-rays with fourteen observations, some of them uncertain.

Source: Irvin et al., *CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert
Comparison*, AAAI 2019. Race comes from a table of its own, "CHEXPERT DEMO".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
from typing_extensions import override

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._random import numpy_stream
from evenhand._typing import Bools, Strings
from evenhand.data.manifest import Manifest
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns
from evenhand.datasets._layout import Sizes, check_pictures, check_sizes, coded, locate, manifest_of
from evenhand.datasets.base import Dataset

FOLDERS = ("CheXpert-v1.0-small",)
SIZES: Mapping[str, int] = MappingProxyType({"train.csv": 223414, "valid.csv": 234})
SHARES = {"test": 0.15, "validation": 0.1}
"""Of the patients; the others train."""
DEMOGRAPHICS = "CHEXPERT DEMO"
STATES = {"1.0": "1", "1": "1", "0.0": "0", "0": "0", "": "0", "-1.0": "?", "-1": "?"}
"""Not mentioned in the report counts as absent, as in the published baselines."""


@dataclass(frozen=True)
class CheXpert(Dataset):
    """CheXpert-v1.0-small, train.csv and valid.csv together.

    Parameters
    ----------
    label : str
        One of the fourteen observations, as the column is called.
    uncertain : "absent", "present" or "drop"
        What an uncertain label (−1) counts as; dropped rows are left out.
    attribute : "sex", "race", "sex and race" or "support devices"
        What makes the groups. Race needs the table "CHEXPERT DEMO" saved as CSV next to `train.csv`.
    uncertain_device : "unknown", "absent" or "present"
        What an uncertain support device counts as; rows of unknown attribute are in no group.
    split : "patients" or "given"
        Deal whole patients out, 75 % to training, 10 % to validation and 15 % to test, with `seed`; or train
        on `train.csv` and test on the 234 images of `valid.csv`.
    seed : int
        Seed of the split of patients.
    expected : mapping of str to int, or None
        Expected rows of the two tables, which are checked.
    """

    label: str = "No Finding"
    uncertain: Literal["absent", "present", "drop"] = "absent"
    attribute: Literal["sex", "race", "sex and race", "support devices"] = "sex"
    uncertain_device: Literal["unknown", "absent", "present"] = "unknown"
    split: Literal["patients", "given"] = "patients"
    seed: int = 0
    expected: Sizes | None = field(default_factory=lambda: SIZES)

    title = "CheXpert"
    layout = "train.csv, valid.csv, train/ and valid/ of CheXpert-v1.0-small"
    origin = "its authors, on request"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Read the observations 1, 0, −1 or blank, and the attribute."""
        self._check()
        files = [locate(self.title, data, (name,), FOLDERS) for name in ("train.csv", "valid.csv")]
        tables = [read_columns(file) for file in files]
        check_sizes(self.title, {t.path.name: len(t) for t in tables}, self.expected)
        listed = np.concatenate([table.filled("Path", argument=self.title) for table in tables])
        state = np.concatenate([coded(self.title, table, self.label, STATES) for table in tables])
        kept = np.flatnonzero((state != "?") | (self.uncertain != "drop"))
        # The first part of a path is the folder's original name, which may have changed.
        ids = np.asarray([name.partition("/")[2] for name in listed[kept]], dtype=np.str_)
        root = files[0].parent
        check_pictures(self.title, "train.csv or valid.csv", [f"{root}/{name}" for name in ids])
        present = _decided(state[kept], self.uncertain) == "1"
        labels = np.where(present, *self._words()[::-1])
        groups = np.concatenate([self._groups(table, root) for table in tables])[kept]
        return manifest_of(root, ids, labels, self._split(ids), {self.attribute: groups})

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Return prompts about X-rays; no published ones are known to us."""
        return {name: (f"a chest X-ray that shows {name}.",) for name in self._words()}

    def _words(self) -> tuple[str, str]:
        """Return the names of the classes without and with the observation."""
        if self.label == "No Finding":
            return "a finding", "no finding"
        return f"no {self.label.lower()}", self.label.lower()

    def _check(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal and getattr(self, name) not in get_args(hint):
                raise NotAllowedError.of(name, getattr(self, name), get_args(hint))

    def _groups(self, table: Columns, root: Path) -> Strings:
        if self.attribute == "support devices":
            state = _decided(coded(self.title, table, "Support Devices", STATES), self.uncertain_device)
            return np.where(state == "?", "", np.where(state == "1", "with devices", "without devices"))
        sex = coded(self.title, table, "Sex", {"Female": "female", "Male": "male", "Unknown": "", "": ""})
        if self.attribute == "sex":
            return sex
        race = _races(table, root)
        if self.attribute == "race":
            return race
        both: Bools = (sex != "") & (race != "")
        return np.where(both, np.char.add(np.char.add(sex, ", "), race), "")

    def _split(self, ids: Strings) -> Strings:
        if self.split == "given":
            return np.where([name.startswith("train/") for name in ids], "train", "test")
        patients = [_patient(name) for name in ids]
        dealt = numpy_stream(self.seed, "chexpert").permutation(np.unique(patients))
        part = dict.fromkeys(dealt.tolist(), "train")
        start = 0
        for name, share in SHARES.items():
            end = start + round(share * len(dealt))
            part |= dict.fromkeys(dealt[start:end].tolist(), name)
            start = end
        return np.asarray([part[patient] for patient in patients], dtype=np.str_)


def _decided(state: Strings, policy: str) -> Strings:
    """Return the states with "?" as the policy has it, or as it is where the policy decides nothing."""
    return np.where(state == "?", {"absent": "0", "present": "1"}.get(policy, "?"), state)


def _patient(name: str) -> str:
    """Return the patient's part of a path such as train/patient00001/study1/view1_frontal.jpg."""
    return next((part for part in name.split("/") if part.startswith("patient")), name)


def _races(table: Columns, root: Path) -> Strings:
    """Return White, Black, Asian or other by patient; the empty string where it is unknown."""
    files = [root / f"{DEMOGRAPHICS}{ending}" for ending in (".csv", ".xlsx")]
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        raise EvenhandError(
            f"CheXpert: race is in {files[0].name}, which is not in {root}; get that table, or choose sex"
        )
    columns = read_columns(path)
    patients = columns.filled("PATIENT", argument="CheXpert")
    known = dict(zip(patients.tolist(), columns.get("PRIMARY_RACE", argument="CheXpert"), strict=True))
    found = [known.get(_patient(name), "") for name in table.values["Path"]]
    return np.asarray([_race(str(value)) for value in found], dtype=np.str_)


def _race(value: str) -> str:
    if not value or "unknown" in value.lower() or "refused" in value.lower():
        return ""
    return next((name for name in ("White", "Black", "Asian") if value.startswith(name)), "other")
