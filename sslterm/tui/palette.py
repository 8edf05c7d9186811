"""The command palette: what the registry says can be done here, found by a part of its name."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from sslterm.tui import actions
from sslterm.tui.screens.dialogs import shown
from sslterm.tui.screens.room import Room


class Actions(Provider):
    """The actions of the screen beneath; choosing one that cannot be done says why."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for title, help, do in self._all():
            yield DiscoveryHit(title, do, help=help)

    async def search(self, query: str) -> Hits:
        """Those whose title or explanation fits."""
        matcher = self.matcher(query)
        for title, help, do in self._all():
            score = max(matcher.match(title), matcher.match(help) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(title), do, help=help)

    def _all(self) -> list[tuple[str, str, partial[None]]]:
        room = self.screen
        if not isinstance(room, Room):
            return []
        can = [a for a in actions.here(room.name_in_registry, room.house.actions) if a.name != "palette"]
        return [(f"{a.title}  ({shown(a.keys)})", a.help, partial(room.action_do, a.name)) for a in can]
