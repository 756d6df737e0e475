"""Public downloads of benchmarks: addresses, mirrors, checksums and sizes, as data.

All was read in public sources, none was downloaded here: addresses of Waterbirds in its authors' README and
in the WILDS package, of CelebA in the WILDS package, of MetaShift in SubpopBench; of MNIST and CIFAR-10, with
checksums and sizes, in many packages that agree. Where no checksum is known, gzip's own and the loader's
counts have to do. CheXpert is not here: its authors give it on request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Download:
    """One file to fetch.

    Attributes
    ----------
    file : str
        Its name on disk.
    urls : tuple of str
        The first one that works is taken.
    sha256 : str or None
        Hex digest, if known.
    size : int or None
        Bytes, if known.
    folder : str or None
        Where a tar archive is unpacked to; None leaves the file packed.
    """

    file: str
    urls: tuple[str, ...]
    sha256: str | None = None
    size: int | None = None
    folder: str | None = None


def _mnist(file: str, sha256: str, size: int) -> Download:
    hosts = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
    return Download(file, tuple(f"{host}/mnist/{file}" for host in hosts), sha256, size)


MNIST = (
    _mnist(
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9912422,
    ),
    _mnist(
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28881,
    ),
    _mnist(
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1648877,
    ),
    _mnist(
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4542,
    ),
)
CIFAR = Download(
    "cifar-10-binary.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170052171,
)
_CODALAB = "https://worksheets.codalab.org/rest/bundles/{}/contents/blob/"

DOWNLOADS: Mapping[str, tuple[Download, ...]] = MappingProxyType(
    {
        "waterbirds": (
            Download(
                "waterbird_complete95_forest2water2.tar.gz",
                (
                    "https://nlp.stanford.edu/data/dro/waterbird_complete95_forest2water2.tar.gz",
                    _CODALAB.format("0x505056d5cdea4e4eaa0e242cbfe2daa4"),
                ),
                folder="waterbird_complete95_forest2water2",
            ),
        ),
        "celeba": (
            Download(
                "celebA_v1.0.tar.gz",
                (_CODALAB.format("0xfe55077f5cd541f985ebf9ec50473293"),),
                folder="celebA_v1.0",
            ),
        ),
        "metashift": (
            Download(
                "metashift.tar.gz",
                ("https://www.dropbox.com/s/a7k65rlj4ownyr2/metashift.tar.gz?dl=1",),
                folder="MetaShift-Cat-Dog-indoor-outdoor",
            ),
        ),
        "coloured_mnist": MNIST,
        "dominoes": (*MNIST, CIFAR),
        "composites": (CIFAR,),
    }
)
