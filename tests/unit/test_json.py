import pytest

from evenhand._json import parse_json


def test_json_is_read() -> None:
    assert parse_json('{"a": [1, "é", null, NaN]}')["a"][1] == "é"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ("{", "Expecting"),
        ("1" * 5000, "digits"),
    ],
)
def test_what_no_file_of_ours_holds(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


@pytest.mark.parametrize("text", ["NaN", "[1e999]", "-Infinity"])
def test_numbers_without_an_end(text: str) -> None:
    assert parse_json(text) is not None
    with pytest.raises(ValueError, match="not JSON compliant"):
        parse_json(text, finite=True)
