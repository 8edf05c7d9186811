"""Everything a person can do in the TUI, in one table: footer, help, palette and keymap are made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from textual.binding import Binding

from sslterm.errors import UsageError

EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Action:
    """One thing to do, on some screens, by some keys."""

    name: str
    keys: str
    """As Textual writes them, separated by commas; the first is shown."""
    title: str
    """A word or two, for the footer."""
    help: str
    """A sentence, for the help and the palette."""
    screens: tuple[str, ...] = (EVERYWHERE,)
    changes: bool = False
    """Whether it starts, stops or alters anything: `--readonly` turns it off."""
    footer: bool = True


def _table() -> list[Action]:
    runs, run, compare, launch, doctor = ("runs",), ("run",), ("compare",), ("launch",), ("doctor",)
    checkpoints, evaluation, pictures = ("checkpoints",), ("evaluation",), ("pictures",)
    either, charts = (*runs, *run), (*run, *compare)
    lists = (*runs, *checkpoints)
    moved = (*lists, *evaluation, *pictures)
    judged = (*either, *checkpoints)
    copied = (*judged, *compare, *evaluation)
    again = (*doctor, *pictures)
    moving = (*charts, *evaluation)
    return [
        Action("open", "enter", "Open", "Open what is under the cursor.", (*lists, *evaluation)),
        Action("new", "n", "New run", "Choose a preset, adjust it, start it.", runs, True),
        Action("mark", "space", "Mark", "Mark a line, to act on several.", lists),
        Action("compare", "c", "Compare", "Lay the marked runs over each other.", runs),
        Action("evaluate", "e", "Evaluate", "Evaluate the best checkpoint, or the marked ones.", judged, True),
        Action("evaluate_tta", "t", "With flip", "Evaluate with test-time flip.", judged, True),
        Action("stop", "s", "Stop", "Stop cleanly: finish the step, save, end.", either, True),
        Action("pause", "p", "Pause", "Save and give the device up until it is resumed.", either, True, False),
        Action("resume", "r", "Resume", "Go on exactly where it stopped.", either, True),
        Action("checkpoint", "k", "Save now", "Save a checkpoint now.", run, True, False),
        Action("fine_tune", "f", "Fine-tune", "Start a run whose encoder begins from this one.", checkpoints, True),
        Action("export", "x", "Export", "Write the encoder's weights to a file of their own.", checkpoints, True),
        Action("verify", "v", "Verify", "Read every byte again; compare its sha256.", checkpoints, footer=False),
        Action("prune", "P", "Prune", "Delete all but each stage's best and last.", checkpoints, True, False),
        Action("note", "a", "Note", "Say something of the run.", either, True, False),
        Action("tag", "T", "Tag", "Mark the run with words.", either, True, False),
        Action("delete", "D", "Delete", "Delete what is marked, or under the cursor, for good.", lists, True, False),
        Action("filter", "slash", "Filter", "Show only runs that fit, as in `sslterm ls`.", runs),
        Action("columns", "C", "Columns", "Choose which columns are shown.", runs, footer=False),
        Action("sort", "o", "Sort", "Sort by the next column.", (*lists, *evaluation), footer=False),
        Action("turn", "O", "Turn", "Turn the order around.", lists, footer=False),
        Action("down", "j,down", "Down", "The next line.", moved, footer=False),
        Action("up", "k,up", "Up", "The line before.", moved, footer=False),
        Action("page_down", "ctrl+d,pagedown", "Page down", "A page further.", moved, footer=False),
        Action("page_up", "ctrl+u,pageup", "Page up", "A page back.", moved, footer=False),
        Action("first", "g,home", "First", "The first line.", moved, footer=False),
        Action("last", "G,end", "Last", "The last line.", moved, footer=False),
        Action("unfold", "right,l", "Unfold", "Open the group under the cursor.", runs, footer=False),
        Action("fold", "left,h", "Fold", "Close the group under the cursor.", runs, footer=False),
        Action("mark_all", "asterisk", "Mark all", "Mark all lines that are listed.", lists, footer=False),
        Action("group", "f", "Group", "Fold runs that differ in their seed only.", runs, footer=False),
        Action("pin", "b", "Baseline", "Pin the run that others are compared with.", runs, footer=False),
        Action("charts", "1", "Charts", "Curves of loss, accuracy, kNN, learning rate, health.", run, footer=False),
        Action("log", "2", "Log", "What trainer and supervisor had to say.", run, footer=False),
        Action("pictures", "3,i", "Pictures", "See images as it sees them, and its mistakes.", either, footer=False),
        Action("settings", "4", "Settings", "What was asked for, and what it ran on.", run, footer=False),
        Action("checkpoints", "5,K", "Checkpoints", "Of the run, the marked runs, or all.", either, footer=False),
        Action("evaluations", "6,E", "Evaluations", "How good it is on images it never saw.", either, footer=False),
        Action("search", "slash", "Search", "Find text in the log.", run, footer=False),
        Action("next_match", "n", "Next", "The next place in the log that fits.", run, footer=False),
        Action("previous_match", "N", "Previous", "The place in the log before.", run, footer=False),
        Action("x_axis", "x", "X axis", "Steps, epochs, seconds since the start, or the clock.", charts),
        Action("log_y", "L", "Log y", "A logarithmic y axis.", charts, footer=False),
        Action("smoother", "plus,equals_sign", "Smooth", "Smooth the curves more.", charts),
        Action("rougher", "minus", "Less", "Smooth the curves less.", charts, footer=False),
        Action("zoom_in", "z", "Zoom", "Look closer, around the crosshair.", charts),
        Action("zoom_out", "Z", "Zoom out", "Look from farther.", charts, footer=False),
        Action("reset", "0", "All", "Show the charts whole again.", charts, footer=False),
        Action("left", "left,h", "Left", "Move the crosshair, or the cell.", moving, footer=False),
        Action("right", "right,l", "Right", "Move the crosshair, or the cell.", moving, footer=False),
        Action("shares", "percent_sign", "Shares", "The confusion matrix in shares of a row, or images.", evaluation),
        Action("next_answer", "n", "Next", "The next of the answers.", evaluation),
        Action("previous_answer", "N", "Previous", "The answer before.", evaluation, footer=False),
        Action("views", "v", "Views", "Two views of the same images, as the preset augments them.", pictures),
        Action("mistakes", "m", "Mistakes", "Images that were taken for something else.", pictures),
        Action("neighbours", "n", "Neighbours", "Images that look alike to the encoder.", pictures),
        Action("painted", "p", "Painted", "What the method painted while it learned.", pictures),
        Action("again", "r", "Again", "Look at this machine once more; make the pictures anew.", again),
        Action("start", "ctrl+r", "Start", "Start what the preset says.", launch, True),
        Action("preview", "ctrl+t", "Views", "See eight images as this preset would augment them.", launch),
        Action("next", "tab", "Next part", "Go to the next part of the screen.", (*launch, *evaluation), footer=False),
        Action("copy", "y", "Copy", "Copy what is shown or selected (works over SSH).", copied, footer=False),
        Action("back", "escape", "Back", "Leave this screen, or what is open on it.", footer=False),
        Action("palette", "colon,ctrl+p", "Commands", "Find any action by its name."),
        Action("help", "question_mark", "Help", "Say what can be done here."),
        Action("doctor", "exclamation_mark", "Doctor", "What works on this machine, what not.", footer=False),
        Action("theme", "ctrl+y", "Theme", "The next theme: dark, light, ansi, high contrast.", footer=False),
        Action("redraw", "ctrl+l", "Redraw", "Draw the whole screen anew.", footer=False),
        Action("quit", "q", "Quit", "Leave the viewer; training goes on."),
    ]  # fmt: skip


ACTIONS: dict[str, Action] = {action.name: action for action in _table()}


def here(screen: str, actions: Mapping[str, Action] | None = None) -> list[Action]:
    """What can be done on a screen."""
    return [a for a in (actions or ACTIONS).values() if screen in a.screens or EVERYWHERE in a.screens]


def bindings(screen: str, actions: Mapping[str, Action] | None = None) -> list[Binding]:
    """A screen's keys: each asks the screen to do the action of that name."""
    return [
        Binding(a.keys, f"do('{a.name}')", a.title, show=a.footer, id=a.name, tooltip=a.help)
        for a in here(screen, actions)
    ]


def page() -> str:
    """All of them as a page of documentation, a table a screen; `docs/keys.md` is this."""
    screens = dict.fromkeys(screen for action in ACTIONS.values() for screen in action.screens)
    lines = [
        "# Keys",
        "",
        "What can be done in `sslterm tui`, where, and by which keys. In `~/.config/sslterm/config.toml`:",
        "",
    ]
    lines += [
        "```toml",
        "[keys]",
        'stop = "S"            # the name of an action = its keys, with commas between',
        "```",
    ]
    for screen in screens:
        lines += ["", f"## {screen.capitalize()}", "", "| keys | action | what it does |", "| --- | --- | --- |"]
        lines += [
            f"| `{action.keys.replace(',', '` `')}` | `{action.name}` | {action.help} |"
            for action in ACTIONS.values()
            if screen in action.screens
        ]
    return "\n".join([*lines, ""])


def rebound(keys: Mapping[str, str], source: str) -> dict[str, Action]:
    """The actions with a user's keys. Raises UsageError for actions that are not there, and keys used twice."""
    from sslterm.presets import nearest

    for name in keys:
        if name not in ACTIONS:
            raise UsageError(f"{source}: keys.{name}: no such action{nearest(name, ACTIONS)}")
    changed = {name: replace(action, keys=keys.get(name, action.keys)) for name, action in ACTIONS.items()}
    for screen in sorted({screen for action in changed.values() for screen in action.screens} - {EVERYWHERE}):
        _refuse_twice(here(screen, changed), keys, source)
    return changed


def _refuse_twice(actions: Iterable[Action], keys: Mapping[str, str], source: str) -> None:
    taken: dict[str, str] = {}
    for action in actions:
        for key in action.keys.split(","):
            other = taken.setdefault(key.strip(), action.name)
            if other != action.name and (action.name in keys or other in keys):
                raise UsageError(f"{source}: keys.{action.name}: {key} already means {other} there; choose another key")
