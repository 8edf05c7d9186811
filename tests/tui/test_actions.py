"""One table of actions: whole, without two meanings of a key, and a user's keys are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm.errors import UsageError
from sslterm.tui.actions import ACTIONS, EVERYWHERE, bindings, here, page, rebound

SCREENS = sorted({screen for action in ACTIONS.values() for screen in action.screens} - {EVERYWHERE})


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things_on_a_screen(screen: str) -> None:
    keys = [key.strip() for action in here(screen) for key in action.keys.split(",")]
    assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)


def test_every_action_says_what_it_does() -> None:
    for name, action in ACTIONS.items():
        assert name == action.name
        assert action.title
        assert action.help.endswith(".")


def test_what_stops_or_deletes_is_off_in_a_read_only_view() -> None:
    changing = {name for name, action in ACTIONS.items() if action.changes}
    assert {"stop", "pause", "resume", "delete", "start", "note", "tag", "evaluate", "checkpoint"} <= changing
    assert not {"open", "filter", "quit", "help", "copy"} & changing


def test_a_user_s_key_takes_the_place_of_ours() -> None:
    changed = rebound({"stop": "S"}, "config.toml")
    assert {binding.id: binding.key for binding in bindings("runs", changed)}["stop"] == "S"
    assert changed["pause"].keys == ACTIONS["pause"].keys


def test_wrong_keys_are_sentences() -> None:
    with pytest.raises(UsageError, match=r"config\.toml: keys\.stopp: no such action; did you mean stop"):
        rebound({"stopp": "x"}, "config.toml")
    with pytest.raises(UsageError, match="already means"):
        rebound({"stop": "n"}, "config.toml")


def test_the_page_of_keys_is_the_registry() -> None:
    """After a change: python -c "from sslterm.tui import actions; print(actions.page(), end='')" > docs/keys.md"""
    kept = Path(__file__).parents[2] / "docs" / "keys.md"
    assert kept.read_text(encoding="utf-8") == page()
