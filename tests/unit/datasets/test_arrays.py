"""MNIST and CIFAR-10 as they lie on disk, and what is wrong with them."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.datasets._cifar import RECORD, read_cifar
from evenhand.datasets._mnist import read_mnist

from .conftest import cifar_labels, write_idx


def unpacked(cifar: Path) -> Path:
    with tarfile.open(cifar / "cifar-10-binary.tar.gz") as tar:
        tar.extractall(cifar, filter="data")
    (cifar / "cifar-10-binary.tar.gz").unlink()
    return cifar


def test_cifar_packed_and_unpacked_are_the_same(cifar: Path) -> None:
    packed = read_cifar("x", cifar)
    for data in (unpacked(cifar), cifar / "cifar-10-batches-bin"):
        plain = read_cifar("x", data)
        for split, size in (("train", 200), ("test", 40)):
            assert packed[split][0].shape == (size, 32, 32, 3)
            assert (packed[split][0] == plain[split][0]).all()
            assert packed[split][1].tolist() == np.tile(cifar_labels(40), size // 40).tolist()


def test_cifar_pixels_are_planes_of_red_green_and_blue(cifar: Path) -> None:
    file = unpacked(cifar) / "cifar-10-batches-bin/test_batch.bin"
    red = np.arange(1024, dtype=np.uint32) % 256
    file.write_bytes(bytes([9]) + red.astype(np.uint8).tobytes() + bytes([7]) * 1024 + bytes([8]) * 1024)
    pixels, labels = read_cifar("x", cifar)["test"]
    assert labels.tolist() == [9]
    assert pixels[0, 1, 2].tolist() == [34, 7, 8]


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py"])
def test_the_pickled_version_is_refused_and_the_binary_one_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(
        EvenhandError,
        match=rf"composites: .*{name} is the Python version of CIFAR-10, pickled, .*cifar-10-binary.tar.gz",
    ):
        read_cifar("composites", tmp_path)


def test_the_pickled_version_beside_the_binary_one_is_left_alone(cifar: Path) -> None:
    (cifar / "cifar-10-batches-py").mkdir()
    assert len(read_cifar("x", cifar)["test"][1]) == 40
    assert len(read_cifar("x", unpacked(cifar))["test"][1]) == 40


def test_absent_cifar_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"x: cifar-10-binary.tar.gz or cifar-10-batches-bin is not in"):
        read_cifar("x", tmp_path)


def test_a_missing_batch_is_named(cifar: Path) -> None:
    (unpacked(cifar) / "cifar-10-batches-bin/data_batch_3.bin").unlink()
    with pytest.raises(EvenhandError, match=r"x: data_batch_3.bin is not in .*cifar-10-batches-bin"):
        read_cifar("x", cifar)


def test_damaged_cifar_is_told(cifar: Path) -> None:
    archive = cifar / "cifar-10-binary.tar.gz"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EvenhandError, match=r"cannot read .*cifar-10-binary.tar.gz: .*; download it again"):
        read_cifar("x", cifar)
    archive.write_bytes(whole)
    file = unpacked(cifar) / "cifar-10-batches-bin/test_batch.bin"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(EvenhandError, match=r"is damaged: 122,915 bytes are not whole records of 3,073"):
        read_cifar("x", cifar)
    file.write_bytes(bytes([10]) + bytes(RECORD - 1))
    with pytest.raises(EvenhandError, match=r"is damaged: label 10 is none of 0 to 9; download it again"):
        read_cifar("x", cifar)


def test_mnist_packed_and_unpacked_are_the_same(mnist: Path) -> None:
    packed = read_mnist("x", mnist)
    raw = mnist / "MNIST/raw"
    raw.mkdir(parents=True)
    for file in mnist.glob("*.gz"):
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    plain = read_mnist("x", mnist)
    for split, size in (("train", 60), ("test", 20)):
        assert packed[split][0].shape == (size, 28, 28)
        assert (packed[split][0] == plain[split][0]).all()
        assert packed[split][1].tolist() == plain[split][1].tolist() == [k % 10 for k in range(size)]


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_a_missing_file_of_mnist_is_named(mnist: Path, name: str) -> None:
    (mnist / f"{name}.gz").rename(mnist / f"{name.replace('-idx', '.idx')}.gz")
    with pytest.raises(EvenhandError, match=rf"x: {name}.gz or {name} is not in .*; the folder holds "):
        read_mnist("x", mnist)


def test_damaged_mnist_is_told(mnist: Path) -> None:
    file = mnist / "t10k-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    with pytest.raises(EvenhandError, match=r"cannot read .*t10k-images.*; download it again"):
        read_mnist("x", mnist)
    file.write_bytes(gzip.compress(gzip.decompress(whole)[:-1]))
    with pytest.raises(
        EvenhandError, match=r"t10k-images.* is not an idx file of bytes with 3 axes, or is cut short"
    ):
        read_mnist("x", mnist)
    file.write_bytes(whole)
    write_idx(mnist / "t10k-labels-idx1-ubyte.gz", np.zeros(19, dtype=np.uint8))
    with pytest.raises(
        EvenhandError, match=r"t10k-images has 20 images, t10k-labels 19 labels; download both"
    ):
        read_mnist("x", mnist)
