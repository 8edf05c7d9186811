"""Images in folders, however they lie."""

import shutil

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


def test_the_stamp_and_the_fingerprint_follow_every_change(class_folders):
    def look():
        folder = open_folder("image_folder", class_folders)
        stamps.add(folder.stamp)
        fingerprints.add(folder.fingerprint())

    stamps, fingerprints = set(), set()
    look()
    look()
    assert (len(stamps), len(fingerprints)) == (1, 1)
    new = write(class_folders / "train" / "cat" / "new.bmp")
    look()
    write(new, size=(13, 13))
    look()
    write(new, size=(13, 13), seed=1)  # as many bytes as before
    look()
    new.rename(class_folders / "train" / "dog" / "new.bmp")
    look()
    assert (len(stamps), len(fingerprints)) == (5, 5)


def test_a_copy_has_another_stamp_and_the_same_fingerprint(class_folders, tmp_path):
    shutil.copytree(class_folders, tmp_path / "copy", copy_function=shutil.copyfile)
    here, there = (open_folder("image_folder", folder) for folder in (class_folders, tmp_path / "copy"))
    assert here.stamp != there.stamp
    assert here.fingerprint() == there.fingerprint()


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


@pytest.mark.parametrize(
    ("train", "test"), [("Train", "Test"), ("TRAIN", "VAL"), ("training", "testing"), ("Training", "Validation")]
)
def test_splits_have_several_names_in_any_case(train, test, class_folders):
    (class_folders / "train").rename(class_folders / train)
    (class_folders / "test").rename(class_folders / test)
    folder = open_folder("image_folder", class_folders)
    assert (folder.classes, folder.first_test, len(folder.files)) == (("cat", "dog", "eel"), 18, 24)


def test_two_folders_of_one_split_are_one(class_folders):
    write(class_folders / "training" / "cat" / "x.png")
    folder = open_folder("image_folder", class_folders)
    assert (folder.first_test, len(folder.files)) == (19, 25)
    assert folder.labels[folder.files.index("training/cat/x.png")] == 0


def test_splits_without_train_are_refused(class_folders):
    (class_folders / "train").rename(class_folders / "val")
    sentence = r"data\.folder: (\S*) holds test and val, but no train; put the training images into \1/train, or rename"
    with pytest.raises(DataError, match=sentence):
        open_folder("image_folder", class_folders)


def test_folders_of_images_beside_train_are_refused(tmp_path):
    for label in ("bus", "car", "train"):
        write(tmp_path / label / "a.png")
    with pytest.raises(DataError, match=r"holds images in bus and car beside train; .*rename train if these are class"):
        open_folder("image_folder", tmp_path)


def test_other_folders_and_images_beside_train_are_passed_over(class_folders):
    write(class_folders / "example.png")
    (class_folders / "annotations").mkdir()
    (class_folders / "annotations" / "a.xml").touch()
    write(class_folders / ".cache" / "a.png")
    assert len(open_folder("image_folder", class_folders).files) == 24


@pytest.mark.parametrize("level", ["catdog", "a/b"])
def test_class_folders_in_the_only_folder_are_refused_and_that_folder_is_named(level, tmp_path):
    for label in ("cat", "dog"):
        write(tmp_path / "photos" / level / label / "a.png")
    sentence = rf"(\S*) holds only {level}, in which cat and dog lie; .*, name \1/{level} instead$"
    with pytest.raises(DataError, match=sentence):
        open_folder("image_folder", tmp_path / "photos")
    assert open_folder("image_folder", tmp_path / "photos" / level).classes == ("cat", "dog")


def test_splits_in_the_only_folder_are_refused(class_folders):
    with pytest.raises(DataError, match=r"holds only photos, in which test and train lie; .* name \S*/photos instead"):
        open_folder("image_folder", class_folders.parent)


def test_a_level_too_many_in_train_is_refused(class_folders):
    (class_folders / "train").rename(class_folders / "images")
    (class_folders / "train").mkdir()
    (class_folders / "images").rename(class_folders / "train" / "images")
    sentence = r"(\S*/train) holds only images, in which cat, dog and eel lie; .*, move them into \1$"
    with pytest.raises(DataError, match=sentence):
        open_folder("image_folder", class_folders)


def test_splits_within_classes_are_refused(tmp_path):
    for label in ("cat", "dog"):
        for part in ("Train", "Test"):
            write(tmp_path / label / part / "a.png")
    with pytest.raises(DataError, match=r"holds Test and Train within the class cat; .* as in Train/cat$"):
        open_folder("image_folder", tmp_path)


def test_links_in_a_circle_end(class_folders):
    before = open_folder("image_folder", class_folders).files
    (class_folders / "train" / "cat" / "up").symlink_to(class_folders)
    (class_folders / "train" / "again").symlink_to("..")
    (class_folders / "train" / "dog" / "itself").symlink_to("itself")
    (class_folders / "train" / "dog" / "nowhere").symlink_to("gone")
    assert open_folder("image_folder", class_folders).files == before


def test_linked_folders_are_followed(class_folders):
    before = open_folder("image_folder", class_folders).files
    (class_folders / "train" / "dog").rename(class_folders.parent / "dog")
    (class_folders / "train" / "dog").symlink_to(class_folders.parent / "dog")
    (class_folders / "val").symlink_to("test")  # the same images under another name are what was asked for
    assert len(open_folder("image_folder", class_folders).files) == len(before) + 6


def test_a_link_to_an_image_that_is_gone_is_named(class_folders):
    (class_folders / "train" / "cat" / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(DataError, match=r"train/cat/gone\.png cannot be read \(No such file"):
        open_folder("image_folder", class_folders).stamp  # noqa: B018
