"""Some forty answers about images: which to ask for, and what they say of a shortcut."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
