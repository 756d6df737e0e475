import pytest

from evenhand.bench.published import published
from evenhand.datasets.registry import DATASETS


@pytest.mark.parametrize("dataset", DATASETS)
def test_published_figures_are_rates_with_a_source(dataset: str) -> None:
    for row in published(dataset):
        assert 0 < row.worst_group <= row.average < 1
        assert row.source
        assert row.backbone


def test_the_published_table_of_waterbirds_and_celeba() -> None:
    """Worst group and average in percent, typed off the notes on the field a second time."""
    worst = {
        "waterbirds": [44.4, 65.4, 76.1, 66.5, 85.3, 86.0, 86.4],
        "celeba": [74.4, 30.4, 40.0, 83.9, 83.9, 85.2, 87.5],
    }
    average = {
        "waterbirds": [84.3, 97.7, 97.8, 96.4, 94.5, 92.2, 91.5],
        "celeba": [86.9, 94.6, 94.3, 91.2, 90.4, 87.8, 87.9],
    }
    for dataset in worst:
        rows = published(dataset)
        assert [round(100 * row.worst_group, 1) for row in rows] == worst[dataset]
        assert [round(100 * row.average, 1) for row in rows] == average[dataset]
        assert [row.method for row in rows][::3] == ["zero-shot", "DFR", "GDE (groups)"]
    assert published("scenes") == []
