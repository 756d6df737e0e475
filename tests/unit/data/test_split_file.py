"""A file of splits, matched to images by their paths."""

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.split_file import splits_in_file

IDS = np.array(["img/cat/1.jpg", "img/cat/2.jpg", "img/dog/1.jpg"])


def read(tmp_path, content, *, name="split.csv", column="split", ids=IDS):
    (tmp_path / name).write_text(content)
    splits, where, notes = splits_in_file(tmp_path / name, ids, column)
    return splits.tolist(), where, notes


@pytest.mark.parametrize(
    "content",
    [
        "path,split\nimg/dog/1.jpg,test\nimg/cat/1.jpg,train\nimg/cat/2.jpg,val\n",
        "cat/1.jpg;train\ncat/2.jpg;val\ndog/1.jpg;test\n",
        "id,Partition\ncat/1,train\ncat/2,val\ndog/1,test\n",
        "n,name,y,set\n1,/data/cat/1.jpg,0,train\n2,/data/cat/2.jpg,0,val\n3,/data/dog/1.jpg,1,test\n",
        "y,what,file\n0,train,cat/1.jpg\n0,val,cat/2.jpg\n1,test,dog/1.jpg\n",
    ],
)
def test_matched(tmp_path, content):
    assert read(tmp_path, content)[0] == ["train", "val", "test"]


def test_the_longest_shared_end_of_the_paths_tells_images_apart(tmp_path):
    ids = np.array(["data/set/1/front/a.jpg", "data/set/2/front/a.jpg"])
    assert read(tmp_path, "1/front/a.jpg,train\n2/front/a.jpg,test\n", ids=ids)[0] == ["train", "test"]


def test_celebas_partition(tmp_path):
    ids = np.array(["000001.jpg", "000002.jpg"])
    assert read(tmp_path, "000001.jpg 0\n000002.jpg 2\n", name="list_eval_partition.txt", ids=ids) == (
        ["0", "2"],
        "label",
        [],
    )


def test_a_column_by_name(tmp_path):
    content = "path,split,mine\ncat/1.jpg,a,train\ncat/2.jpg,b,test\ndog/1.jpg,c,test\n"
    assert read(tmp_path, content, column="mine")[0] == ["train", "test", "test"]


def test_a_list_is_of_the_split_that_its_name_tells(tmp_path):
    assert read(tmp_path, "cat/1.jpg\ncat/2.jpg\n", name="train.txt")[0] == ["train", "train", "test"]
    splits, _, notes = read(tmp_path, "dog/1.jpg\n", name="test_list.txt")
    assert splits == ["train", "train", "test"]
    assert notes == [f"the images that {tmp_path}/test_list.txt lists are test, the others train"]
    with pytest.raises(EvenhandError, match=r"has only the column 'file_name', and its name is not a split"):
        read(tmp_path, "dog/1.jpg\n", name="list.txt")


def test_the_first_line_of_a_list_without_extensions_counts(tmp_path):
    assert read(tmp_path, "cat/1\ndog/1\n", name="train.txt")[0] == ["train", "test", "train"]
    assert read(tmp_path, "cat/1\ttrain\ncat/2\ttrain\ndog/1\ttest\n")[0] == ["train", "train", "test"]
    named = np.array(["img/path.jpg", "img/split.jpg", "img/x.jpg"])  # as columns are called
    content = "path,split\nimg/path,train\nimg/split,test\nimg/x,test\n"
    assert read(tmp_path, content, ids=named)[0] == ["train", "test", "test"]


@pytest.mark.parametrize(("name", "content"), [("split.txt", "1 1\n2 0\n3 1\n"), ("train.txt", "7\n8\n9\n")])
def test_a_file_of_no_image_is_refused(tmp_path, name, content):
    """The numbers of CUB's `train_test_split.txt` mean lines of another file."""
    with pytest.raises(EvenhandError, match=r"names none of the images; its first is '[19]', and an image"):
        read(tmp_path, content, name=name)


def test_lines_of_other_images_are_counted(tmp_path):
    content = "p,split\ncat/1.jpg,train\ncat/2.jpg,val\ndog/1.jpg,test\ndog/9.jpg,test\n"
    assert read(tmp_path, content)[2] == [f"1 of 4 lines of {tmp_path}/split.csv name no image here"]


def test_every_image_needs_a_split(tmp_path):
    with pytest.raises(
        EvenhandError, match=r"gives no split for 1 of 3 images, the first is 'img/dog/1.jpg'; add"
    ):
        read(tmp_path, "p,split\ncat/1.jpg,train\ncat/2.jpg,val\n")


def test_two_splits_of_one_image(tmp_path):
    with pytest.raises(EvenhandError, match=r"gives two splits for 'cat/1.jpg'; keep one"):
        read(tmp_path, "p,split\ncat/1.jpg,train\ncat/1.jpg,val\ncat/2.jpg,val\ndog/1.jpg,test\n")


def test_no_splits(tmp_path):
    with pytest.raises(EvenhandError, match="has no column of splits; its columns are p, a, b"):
        read(tmp_path, "p,a,b\ncat/1.jpg,x,1\ncat/2.jpg,y,3\n")
