"""Images in folders, however they lie."""

import pytest
from conftest import write

from sslterm.data.catalog import DataError
from sslterm.data.folders import open_folder


def test_train_and_test_folders_of_classes(class_folders):
    folder = open_folder("image_folder", class_folders)
    assert folder.classes == ("cat", "dog", "eel")
    assert folder.first_test == 18
    assert folder.labels == (*[0] * 6, *[1] * 6, *[2] * 6, 0, 0, 1, 1, 2, 2)
    assert folder.files[0] == "train/cat/0.jpg"
    assert folder.files[18] == "test/cat/0.jpg"


@pytest.mark.parametrize("held_out", ["val", "valid"])
def test_without_test_the_validation_folder_is_the_test(held_out, class_folders):
    (class_folders / "test").rename(class_folders / held_out)
    folder = open_folder("image_folder", class_folders)
    assert (folder.first_test, len(folder.files)) == (18, 24)


def test_with_test_and_val_the_validation_images_train(class_folders):
    write(class_folders / "val" / "dog" / "x.png")
    folder = open_folder("image_folder", class_folders)
    assert (folder.first_test, len(folder.files)) == (19, 25)
    assert folder.labels[folder.files.index("val/dog/x.png")] == 1


def test_class_folders_alone_have_no_test_images(class_folders):
    folder = open_folder("image_folder", class_folders / "train")
    assert folder.classes == ("cat", "dog", "eel")
    assert folder.first_test == len(folder.files) == 18


def test_flat_images_have_no_labels(class_folders):
    folder = open_folder("image_folder", class_folders / "train" / "cat")
    assert folder.classes == ()
    assert folder.labels == (-1,) * 6


def test_images_beside_class_folders_are_unlabelled_and_train(class_folders):
    write(class_folders / "train" / "stray.png")
    write(class_folders / "test" / "stray.png")
    folder = open_folder("image_folder", class_folders)
    assert (folder.first_test, len(folder.files)) == (19, 25)
    assert folder.labels[folder.files.index("train/stray.png")] == -1
    assert min(folder.labels[folder.first_test :]) == 0


def test_one_class_is_no_class(tmp_path):
    write(tmp_path / "scans" / "a.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.xml").touch()
    folder = open_folder("image_folder", tmp_path)
    assert (folder.classes, folder.labels) == ((), (-1,))


def test_images_lie_at_any_depth_and_other_files_are_passed_over(tmp_path):
    write(tmp_path / "cat" / "deep" / "er" / "a.PNG")
    write(tmp_path / "cat" / ".hidden" / "a.png")
    write(tmp_path / "dog" / "b.jpeg")
    write(tmp_path / "dog" / ".c.jpeg")
    (tmp_path / "dog" / "readme.txt").write_text("dogs")
    (tmp_path / "empty").mkdir()
    folder = open_folder("image_folder", tmp_path)
    assert folder.files == ("cat/deep/er/a.PNG", "dog/b.jpeg")


def test_the_fingerprint_follows_every_change(class_folders):
    seen = {open_folder("image_folder", class_folders).fingerprint}
    assert seen == {open_folder("image_folder", class_folders).fingerprint}
    write(class_folders / "train" / "cat" / "new.png")
    seen.add(open_folder("image_folder", class_folders).fingerprint)
    write(class_folders / "train" / "cat" / "new.png", size=(13, 13))
    seen.add(open_folder("image_folder", class_folders).fingerprint)
    (class_folders / "train" / "cat" / "new.png").rename(class_folders / "train" / "dog" / "new.png")
    seen.add(open_folder("image_folder", class_folders).fingerprint)
    assert len(seen) == 4


def test_a_grey_folder_has_one_channel_and_one_coloured_image_makes_three(tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}.png", mode="L")
    assert open_folder("image_folder", tmp_path).channels == 1
    write(tmp_path / "colour.png")
    assert open_folder("image_folder", tmp_path).channels == 3


def test_the_side_is_that_which_all_images_share(tmp_path):
    write(tmp_path / "a.png", size=(30, 20))
    write(tmp_path / "b.png", size=(20, 25))
    assert open_folder("image_folder", tmp_path).size == 20
    write(tmp_path / "c.png", size=(21, 25))
    assert open_folder("image_folder", tmp_path).size is None


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.txt").touch()
    with pytest.raises(DataError, match=r"data\.folder: .* holds no image to train on \(known endings: bmp, .*webp\)"):
        open_folder("image_folder", tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"data\.folder: there is no folder .*nowhere"):
        open_folder("image_folder", tmp_path / "nowhere")


def test_a_class_that_is_only_tested_is_refused(class_folders):
    write(class_folders / "test" / "fox" / "a.png")
    with pytest.raises(DataError, match=r"test images of fox, but no training images"):
        open_folder("image_folder", class_folders)
