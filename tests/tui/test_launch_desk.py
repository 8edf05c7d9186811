"""What is typed is never lost: drafts are found, kept, taken back, and listed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sslterm.tui.screens.launch.desk import Desk
from sslterm.tui.screens.launch.shelf import Choice, read_shelf, stem
from sslterm.tui.screens.launch.weights import Origin


@pytest.fixture
def shipped(tmp_path: Path) -> Choice:
    (tmp_path / "moco.toml").write_text("a = 1\n")
    return Choice("moco", tmp_path / "moco.toml", "a = 1\n", shipped="a = 1\n")


def test_a_preset_as_it_is_shipped_needs_no_draft(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    filed = desk.file(shipped, shipped.text, 0, "check")
    assert (filed.path, filed.is_draft) == (shipped.file, False)
    assert not desk.drafts.exists()


def test_what_was_changed_is_a_draft_and_changed_back_is_none(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    filed = desk.file(shipped, "a = 2\n", 1, "check")
    assert filed.path == desk.drafts / "moco.toml"
    assert filed.is_draft
    assert filed.path.read_text() == "a = 2\n"
    assert desk.file(shipped, "a = 3\n", 2, "check").path == filed.path
    assert desk.file(shipped, shipped.text, 3, "check").path == shipped.file
    assert not filed.path.exists()


def test_a_draft_of_another_day_is_not_written_over(tmp_path: Path, shipped: Choice) -> None:
    Desk(tmp_path / "drafts").file(shipped, "a = 2\n", 1, "check")
    desk = Desk(tmp_path / "drafts")
    assert desk.file(shipped, "a = 3\n", 1, "leave").path == desk.drafts / "moco-2.toml"
    assert desk.file(shipped, "a = 4\n", 2, "check").path == desk.drafts / "moco-3.toml"
    assert (desk.drafts / "moco.toml").read_text() == "a = 2\n"


def test_a_draft_that_is_changed_stays_that_draft(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    path = desk.file(shipped, "a = 2\n", 1, "leave").path
    assert path is not None
    draft = replace(shipped, file=path, text="a = 2\n", draft=True)
    assert desk.file(draft, "a = 5\n", 2, "check").path == path
    assert path.read_text() == "a = 5\n"
    assert desk.file(draft, "a = 2\n", 3, "check").path == path
    assert path.read_text() == "a = 2\n"


def test_what_was_typed_last_wins_whichever_thread_is_quicker(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    threads = [
        threading.Thread(target=desk.file, args=(shipped, f"a = {age}\n", age, "check")) for age in range(20, 0, -1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (desk.drafts / "moco.toml").read_text() == "a = 20\n"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, shipped: Choice) -> None:
    (tmp_path / "file").write_text("")
    filed = Desk(tmp_path / "file" / "drafts").file(shipped, "a = 2\n", 1, "check")
    assert filed.path is None
    assert "the draft cannot be written" in filed.trouble


def test_with_weights_an_unchanged_preset_lies_apart_from_drafts(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    begun = replace(shipped, text="a = 1\nb = 2\n", fine_tunes=True)
    filed = desk.file(begun, begun.text, 0, "check")
    assert filed.path == desk.drafts / "fine-tune" / "moco.toml"
    assert not filed.is_draft


def test_a_draft_that_was_started_is_put_away_and_nothing_else_is(tmp_path: Path, shipped: Choice) -> None:
    desk = Desk(tmp_path / "drafts")
    path = desk.file(shipped, "a = 2\n", 1, "start").path
    assert path is not None
    desk.forget(path)
    desk.forget(shipped.file)
    assert not path.exists()
    assert shipped.file.exists()


def test_the_shelf_holds_presets_then_drafts_whatever_they_say(tmp_path: Path) -> None:
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    (drafts / "quickstart-2.toml").write_text('title = "Mine"\n[encoder]\nname = "resnet50"\n')
    (drafts / "wild.toml").write_bytes(b"\xff not toml [")
    (drafts / "folder.toml").mkdir()
    choices = read_shelf(drafts, None)
    names = [choice.name for choice in choices]
    assert {"quickstart", "moco"} < set(names)
    assert set(names[-2:]) == {"quickstart-2", "wild"}
    mine = next(choice for choice in choices if choice.name == "quickstart-2")
    assert (mine.title, mine.encoder, mine.draft) == ("Mine", "resnet50", True)
    assert mine.shipped == next(choice.text for choice in choices if choice.key == "shipped:quickstart")
    assert stem("quickstart-2") == "quickstart"


def test_what_fits_the_weights_comes_first_and_begins_from_them(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "x.pt", "x", "conv4", "cifar")
    choices = read_shelf(tmp_path / "nothing", origin)
    assert choices[0].encoder == "conv4"
    assert [choice.fits for choice in choices] == sorted((choice.fits for choice in choices), reverse=True)
    assert all(f'weights = "{tmp_path / "x.pt"}"' in choice.text for choice in choices)
    assert all(choice.text == choice.shipped for choice in choices)
