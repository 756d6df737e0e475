"""The usual reasons why a model cannot be loaded, from the words that libraries use."""

import pytest
import torch
from torch import nn

from evenhand import EvenhandError
from evenhand.backbones.loader_errors import reason_of, told


def load(weights: dict[str, torch.Tensor]) -> Exception:
    try:
        nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).load_state_dict(weights)
    except RuntimeError as error:
        return error
    raise AssertionError


def test_another_shape_is_told_with_both() -> None:
    weights = nn.Sequential(nn.Linear(5, 4), nn.Linear(2, 2)).state_dict()
    assert reason_of(load(weights)) == (
        "its weights are of another architecture: 0.weight has the shape [4, 5] in the "
        "file and [2, 3] in the model, and 1 more differ; name the architecture that they were trained with"
    )


def test_weights_that_are_missing_alone_are_told_by_the_first() -> None:
    weights = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).state_dict()
    first = {"0.weight": weights["0.weight"], "0.bias": weights["0.bias"]}
    assert reason_of(load(first)) == (
        "it lacks weights of the model: 1.weight and 1 more; name the architecture it was trained with, or "
        "a checkpoint of the whole model, text tower included"
    )


def test_other_names_are_told_by_the_first() -> None:
    reason = reason_of(load({"vision_model.a": torch.ones(1), "vision_model.b": torch.ones(1)}))
    assert "missing are 0.weight and 3 more, unexpected are vision_model.a and 1 more" in reason
    assert "use hf:FOLDER" in reason


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError("We couldn't connect to 'https://huggingface.co' to load the files"),
            "the Hub cannot be reached",
        ),
        (
            RuntimeError("Cannot reach it: offline mode is enabled. To disable it, unset"),
            "the Hub cannot be reached",
        ),
        (OSError("<urlopen error [Errno -2] Name or service not known>"), "hf download"),
        (OSError("You are trying to access a gated repo."), "accept the terms on the model's page"),
        (RuntimeError("401 Client Error: Unauthorized for url"), "log in with hf auth login"),
        (
            RuntimeError("404 Client Error. Repository Not Found for url"),
            "no model of that name, or a private one",
        ),
        (ModuleNotFoundError("No module named 'sentencepiece'"), "pip install sentencepiece"),
        (
            ImportError("T5Tokenizer requires the SentencePiece library but it was not found"),
            "needs the package",
        ),
        (AttributeError("'ModifiedResNet' object has no attribute 'trunk'"), "a checkpoint of big_vision"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "needs more memory"),
        (FileNotFoundError(2, "No such file or directory", "/a/b"), "there is no file /a/b"),
        (ValueError(""), "ValueError"),
    ],
)
def test_a_usual_reason_gets_a_sentence(error: Exception, sentence: str) -> None:
    assert sentence in reason_of(error)


def test_a_reason_lies_below_what_was_raised() -> None:
    outer = RuntimeError("Failed initial config load")
    outer.__cause__ = ConnectionError("Max retries exceeded")
    assert "the Hub cannot be reached" in reason_of(outer)


def test_another_reason_is_cut_at_the_end_of_a_sentence() -> None:
    text = "The first says it. " * 10 + "The last one is much too long " * 20
    assert reason_of(ValueError(text)).endswith("The first says it")
    assert len(reason_of(ValueError("word " * 200))) <= 300
    assert reason_of(ValueError("one\n  two.")) == "one two"


def test_a_failure_becomes_one_sentence_and_evenhands_own_stay() -> None:
    with (
        pytest.raises(EvenhandError, match=r"^model 'a' cannot be loaded: 'no'$"),
        told("model 'a' cannot be loaded"),
    ):
        raise KeyError("no") from None
    with pytest.raises(EvenhandError, match=r"^own$"), told("model"):
        raise EvenhandError("own")
