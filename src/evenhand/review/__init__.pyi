from .answers import Answer as Answer
from .answers import read_answers as read_answers
from .choose import choose_rows as choose_rows
from .estimate import AttributeEstimate as AttributeEstimate
from .estimate import estimate_attribute as estimate_attribute
from .estimate import write_attribute as write_attribute
from .rows import ReviewRows as ReviewRows
from .rows import review_rows as review_rows

__all__ = [
    "Answer",
    "AttributeEstimate",
    "ReviewRows",
    "choose_rows",
    "estimate_attribute",
    "read_answers",
    "review_rows",
    "write_attribute",
]
