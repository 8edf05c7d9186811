"""What the fault suite counts, printed at its end."""

from __future__ import annotations

import pytest

FIGURES = pytest.StashKey[dict[str, int]]()


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> dict[str, int]:
    """What was survived, by name; tests add to it."""
    return request.config.stash.setdefault(FIGURES, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, count in sorted(config.stash.get(FIGURES, {}).items()):
        terminalreporter.write_line(f"{name}: {count:,}")
