"""Compare methods over seeds on one table, and pick the one to keep."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
