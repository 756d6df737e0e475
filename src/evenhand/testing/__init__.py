"""Checks of methods, backbones and data sets, for ours and for those of plug-ins."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
