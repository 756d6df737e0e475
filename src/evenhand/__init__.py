"""evenhand: find and remove shortcuts in CLIP classifiers, without group labels.

The public names are loaded at first use, so that `import evenhand` costs milliseconds.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
