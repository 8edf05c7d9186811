"""What the fault suite counts and prints at its end; runs that it may hurt; and no process left behind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from family import Family

from sslterm import presets
from sslterm.runs import Run
from sslterm.runs.create import create

FIGURES = pytest.StashKey[Counter[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak takes half an hour; who wants it says SSLTERM_SOAK=1."""
    for item in items:
        if item.get_closest_marker("soak") and not os.environ.get("SSLTERM_SOAK"):
            item.add_marker(pytest.mark.skip(reason="a long soak; SSLTERM_SOAK=1 runs it"))


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Counter[str]:
    """What was survived, by name; tests add to it."""
    return _figures(request.config)


def _figures(config: pytest.Config) -> Counter[str]:
    return config.stash.setdefault(FIGURES, Counter())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its figures over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = dict(_figures(session.config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The master adds up what its workers counted."""
    _figures(node.config).update(getattr(node, "workeroutput", {}).get("figures", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counted = sorted(_figures(config).items())
    if counted:
        terminalreporter.write_line("faults: " + ", ".join(f"{count:,} {name}" for name, count in counted))


@pytest.fixture
def make_run(runs_dir: Path) -> Callable[..., Run]:
    """Makes a run of a preset; left out, one that only the light trainer trains."""

    def make(name: str = "a", written: dict[str, Any] | None = None) -> Run:
        source = runs_dir.parent / "source.toml"
        source.write_text("")
        settings = presets.resolve(written or {"method": {"name": "simclr"}, "data": {"name": "shapes", "images": 100}})
        return create(runs_dir, settings, source=source, name=name)

    return make


@pytest.fixture
def family(make_run: Callable[..., Run]) -> Iterator[Family]:
    """The processes of a fresh run, none of which outlives the test."""
    family = Family(make_run())
    yield family
    family.end()


@pytest.fixture
def families(make_run: Callable[..., Run]) -> Iterator[Callable[[str], Family]]:
    """Makes families of several runs."""
    made: list[Family] = []

    def make(name: str) -> Family:
        made.append(Family(make_run(name)))
        return made[-1]

    yield make
    for family in made:
        family.end()
