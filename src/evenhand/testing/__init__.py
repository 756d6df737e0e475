"""Public checks of a method, a backbone or a data set, for ours and for third parties'."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
