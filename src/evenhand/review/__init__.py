"""Review a question about forty images: which images to ask about, and what the answers say."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
