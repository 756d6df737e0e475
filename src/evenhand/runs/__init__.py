"""Fit a method into a run folder; read the folder, and predict with it."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
