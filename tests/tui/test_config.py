"""A person's likes are checked like a preset: every problem at once, each a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm.errors import UsageError
from sslterm.tui import config


def test_no_file_is_no_likes(tmp_path: Path) -> None:
    assert config.load(tmp_path / "none.toml") == config.Config()


def test_what_is_written_holds(tmp_path: Path) -> None:
    place = tmp_path / "config.toml"
    place.write_text('theme = "nord"\nreadonly = true\nmouse = false\ncolumns = ["name"]\n[keys]\nstop = "S"\n')
    assert config.load(place) == config.Config("nord", True, False, ["name"], {"stop": "S"})


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    place = tmp_path / "config.toml"
    place.write_text('theme = 3\nreadonly = "yes"\ntheem = "x"\ncolumns = [1]\nkeys = {stop = 7}\n')
    with pytest.raises(UsageError) as caught:
        config.load(place)
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert any("theem: no such setting; did you mean theme" in line for line in lines)
    assert any("readonly: 'yes' does not fit; it takes true or false" in line for line in lines)


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe", b"\0"])
def test_what_is_no_toml_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "config.toml"
    place.write_bytes(content)
    with pytest.raises(UsageError, match=r"config\.toml: "):
        config.load(place)


def test_it_is_where_such_files_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.path() == tmp_path / "sslterm" / "config.toml"


def test_pictures_are_drawn_in_one_of_some_ways(tmp_path: Path) -> None:
    place = tmp_path / "config.toml"
    place.write_text('pictures = "sixel"\n')
    assert config.load(place).pictures == "sixel"
    assert config.load(tmp_path / "none.toml").pictures == "auto"
    for wrong in ('"sixels"', "3", "true"):
        place.write_text(f"pictures = {wrong}\n")
        with pytest.raises(UsageError, match=r'does not fit; it takes "auto", "kitty", "sixel", "quarters"'):
            config.load(place)
