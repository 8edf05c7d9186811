"""Kill -9 at random moments of everyone who has to do with a run: nothing is lost, nobody is left, nothing is stuck."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import light_trainer
import pytest
from family import Family, eventually

from sslterm.runs import checkpoints, metrics, state
from sslterm.runs.state import ALIVE

ROUNDS = 14
SEEDS, SOAK = range(6), range(1000, 1100)
VICTIMS = (
    ("trainer",), ("supervisor",), ("follower",), ("worker",), ("everyone",), ("supervisor", "trainer"),
    ("trainer", "supervisor"), ("follower", "supervisor", "trainer"),
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_is_killed_whenever_the_run_goes_on_as_if_nothing_was(
    seed: int, family: Family, figures: Counter[str]
) -> None:
    survive(seed, family, figures)


@pytest.mark.soak
def test_a_thousand_more_kills(families: Callable[[str], Family], figures: Counter[str]) -> None:
    for seed in SOAK:
        survive(seed, families(f"soak-{seed}"), figures)


def survive(seed: int, family: Family, figures: Counter[str]) -> None:
    """Some rounds of starts and kills, then training to the end."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        victims = chance.choice(VICTIMS)
        family.start()
        if "follower" in victims:
            family.follow()
        # At any moment: the supervisor may not be there yet, the trainer may be saving.
        time.sleep(chance.random() * 0.6)
        hit = {who: family.kill(who) for who in victims}
        figures["kills survived"] += sum(hit.values())
        assert_the_state_is_what_the_kernel_says(family, hit)
        end_what_is_left(family, chance, figures)
        figures["states derived"] += 2
        assert_the_newest_checkpoint_is_good(family)
    family.start("--pause", "0")
    assert family.settled() == "finished", state.of(family.run)
    assert_as_if_never_interrupted(family)
    figures["runs resumed to the uninterrupted result"] += 1


def assert_the_state_is_what_the_kernel_says(family: Family, hit: dict[str, int]) -> None:
    """Once everyone knows what happened, the word is the one that fits those who live."""
    assert family.supervisor is not None
    eventually(lambda: family.word in family.fitting(), lambda: family.told())
    if family.supervisor.poll() is None:
        assert not hit.get("supervisor")
        assert not hit.get("trainer")
        assert not hit.get("everyone")
    elif hit.get("trainer") and "supervisor" not in hit:
        assert family.settled() == "killed", family.told()
        assert "SIGKILL" in state.of(family.run).reason
    elif hit.get("everyone"):
        # A trainer that was started between our look and the blow.
        eventually(lambda: family.kill("everyone") == 0 and not family.members(), lambda: family.told())


def end_what_is_left(family: Family, chance: random.Random, figures: Counter[str]) -> None:
    """Stop it as people do, or kill all of it."""
    if family.word not in ALIVE:
        assert family.settled() not in ALIVE, family.told()
    elif chance.random() < 0.5:
        orphan = family.word == "orphaned"
        family.stop()
        # Somebody who has not yet learned to listen cannot leave a word, and an orphan has nobody to leave one for it.
        assert family.settled() in (("interrupted", "lost") if orphan else ("interrupted",)), family.told()
    else:
        figures["kills survived"] += family.kill("everyone")
        eventually(lambda: family.kill("everyone") == 0 and not family.members(), lambda: family.told())
        assert family.settled() not in ALIVE, family.told()


def assert_the_newest_checkpoint_is_good(family: Family) -> None:
    good, wrong = checkpoints.newest_good(family.run)
    assert wrong == []
    if good:
        content = (family.run.checkpoints / good.file).read_bytes()
        assert content == light_trainer.learned_by(good.total_steps) * 200


def assert_as_if_never_interrupted(family: Family) -> None:
    last = checkpoints.listed(family.run)[-1]
    assert last.total_steps == light_trainer.STEPS
    assert_the_newest_checkpoint_is_good(family)
    known, expected = light_trainer.BEGINNING, []
    for step in range(1, light_trainer.STEPS + 1):
        known = light_trainer.learned(known, step)
        expected.append((step, light_trainer.loss(known)))
    assert metrics.column(metrics.read(family.run.metrics), "train/loss") == expected
