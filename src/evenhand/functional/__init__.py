"""Formulas as pure functions of tensors and arrays; nothing here knows of stores, heads or methods."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
