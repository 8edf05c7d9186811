"""From fields to commands, from a preset to one that begins with weights, from two texts to what differs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from sslterm import presets
from sslterm.tui.screens.launch.judging import checked, differences, judge
from sslterm.tui.screens.launch.orders import Form, NotUnderstood, plan, seeds_of, sentence, started
from sslterm.tui.screens.launch.weights import Origin, look_at, with_weights

# ---------------------------------------------------------------- fields


@pytest.mark.parametrize(("said", "meant"), [("", []), ("3", [3]), ("0..4", [0, 1, 2, 3, 4]), ("1 2,5 1", [1, 2, 5])])
def test_seeds_are_read(said: str, meant: list[int]) -> None:
    assert seeds_of(said) == meant


@pytest.mark.parametrize("said", ["x", "4..0", "-1", "0..1000", "0..99999999999999", "1..x", "¹"])
def test_wrong_seeds_are_a_sentence(said: str) -> None:
    with pytest.raises(NotUnderstood, match="does not fit; write 3"):
        seeds_of(said)


@pytest.mark.parametrize("said", ["0", "x", "-1", "1e3", "101", "²"])
def test_wrong_places_are_a_sentence(said: str) -> None:
    with pytest.raises(NotUnderstood, match="how many runs may share"):
        plan(Form(places=said))


def test_one_run_starts_at_once_and_several_wait_in_line() -> None:
    preset = Path("x.toml")
    assert plan(Form()).orders(preset) == [
        ["run", "x.toml", "--device", "auto", "--slots", "1", "--json", "--detach"]
    ]  # fmt: skip
    several = plan(Form(name="a", seeds="0..1", device="cuda:1", places="2")).orders(preset)
    common = ["run", "x.toml", "--device", "cuda:1", "--slots", "2", "--json", "--queue", "--seed"]
    assert several == [[*common, "0", "--name", "a-s0"], [*common, "1", "--name", "a-s1"]]
    assert plan(Form(seeds="7", name="a")).orders(preset)[0][-4:] == ["--seed", "7", "--name", "a"]


@pytest.mark.parametrize(
    ("form", "users", "said"),
    [
        (Form(), [], "starts it on cpu, which is free"),
        (Form(), ["a"], "starts it on cpu beside a; both will be slower (queue waits)"),
        (Form(places="2"), ["a"], "starts it on cpu beside a"),
        (Form(queue=True), ["a", "b"], "starts it on cpu, after 2 runs"),
        (Form(queue=True), [], "starts it on cpu, now"),
        (Form(seeds="0..4"), [], "starts 5 runs, seeds 0..4, one after another on cpu, now"),
        (Form(seeds="1 5"), ["a"], "starts 2 runs, seeds 1 5, one after another on cpu, after a"),
    ],
)
def test_what_the_key_will_do_is_said_before(form: Form, users: list[str], said: str) -> None:
    assert sentence(plan(form), "cpu", {"cpu": users}) == said


def test_the_run_that_was_started_is_found_in_what_the_command_says() -> None:
    assert started(json.dumps({"run": "a", "path": "/runs/a", "state": "started"})) == Path("/runs/a")
    assert started("garbage") is None
    assert started("[]") is None


# ---------------------------------------------------------------- weights

WEIGHTS = Path('/runs/a "b"/checkpoints/pretrain-0007.pt')


def encoder(text: str) -> dict[str, object]:
    return tomllib.loads(text)["encoder"]


@pytest.mark.parametrize("name", sorted(presets.shipped()))
def test_any_shipped_preset_can_begin_from_weights(name: str) -> None:
    before = presets.shipped()[name].read_text(encoding="utf-8")
    after = with_weights(before, WEIGHTS)
    said = tomllib.loads(before)
    assert tomllib.loads(after) == {**said, "encoder": {**said.get("encoder", {}), "weights": str(WEIGHTS)}}
    assert [line for line in before.splitlines() if "#" in line] == [line for line in after.splitlines() if "#" in line]
    assert with_weights(after, WEIGHTS) == after


@pytest.mark.parametrize(
    "text",
    [
        "",
        'title = "x"\n',
        '[encoder]\nweights = "imagenet"  # from torchvision\nname = "conv4"\n',
        '[encoder]\n# nothing\n[data]\nname = "x"\n',
        'encoder = { name = "conv4", weights = "imagenet" }  # inline\n[data]\n',
        'encoder = { weights = "a", name = "conv4" }',
        "encoder = {}",
        'encoder.name = "conv4"\nencoder.weights = "old" # why\n[data]\n',
        'encoder.name = "conv4"\n[data]\nvalid = 1\n',
        'title = "x"\n# of the data\n[data]\nname = "x"\n[[stage]]\nname = "a"\n',
    ],
)
def test_weights_are_set_however_the_encoder_is_written(text: str) -> None:
    after = with_weights(text, WEIGHTS)
    before = tomllib.loads(text)
    kept = {key: value for key, value in before.get("encoder", {}).items() if key != "weights"}
    assert encoder(after) == {**kept, "weights": str(WEIGHTS)}
    assert {**tomllib.loads(after), "encoder": 0} == {**before, "encoder": 0}
    for comment in ("# from torchvision", "# nothing", "# inline", "# why", "# of the data\n[data]"):
        assert (comment in after) == (comment in text)


def test_a_checkpoint_is_known_by_its_run(tmp_path: Path) -> None:
    run = tmp_path / "moco-a1"
    (run / "checkpoints").mkdir(parents=True)
    (run / "resolved.toml").write_text('[encoder]\nname = "conv4"\nstem = "cifar"\n')
    checkpoint = run / "checkpoints" / "pretrain-0007.pt"
    assert look_at(checkpoint) == Origin(checkpoint, "moco-a1, pretrain-0007", "conv4", "cifar")
    assert look_at(run).encoder == "conv4"
    (run / "resolved.toml").write_text('[encoder]\nname = "vit-tiny"\nstem = "cifar"\npatch = 8\n')
    assert look_at(run).patch == 8
    assert look_at(tmp_path / "x.pt").encoder == ""


# ---------------------------------------------------------------- judging


def test_problems_have_lines_and_slips_of_toml_too() -> None:
    quickstart = presets.shipped()["quickstart"].read_text(encoding="utf-8")
    judged = judge(quickstart, quickstart, None)
    assert (judged.found, judged.changed, judged.difference) == ([], frozenset(), [])
    assert judged.about is not None
    assert judged.about.method == "simclr → supervised · shapes · conv4"
    wrong = quickstart.replace("flip = 0.5", "flip = 5")
    judged = judge(wrong, quickstart, None)
    place = wrong.splitlines().index("flip = 5") + 1
    assert [(one.line, one.key) for one in judged.found] == [(place, "views.flip")]
    assert judged.changed == {place}
    assert judged.difference == ["-flip = 0.5", "+flip = 5"]
    slip = judge("title = \n", None, None)
    assert slip.about is None
    assert [(one.line, one.text) for one in slip.found] == [(1, "is not TOML: Invalid value")]


def test_weights_of_another_network_are_a_problem() -> None:
    quickstart = presets.shipped()["quickstart"].read_text(encoding="utf-8")
    text = with_weights(quickstart, WEIGHTS)
    assert judge(text, text, Origin(WEIGHTS, "a", "conv4", "cifar")).found == []
    assert judge(text, text, Origin(WEIGHTS, "a")).found == []
    (found,) = judge(text, text, Origin(WEIGHTS, "a", "resnet18", "cifar")).found
    assert "the weights are of resnet18" in found.text
    assert text.splitlines()[found.line - 1] == 'name = "conv4"'
    (found,) = judge(text, text, Origin(WEIGHTS, "a", "conv4", "cifar", features=64)).found
    assert "the weights are of conv4 with the cifar stem and a last layer of 64 features" in found.text
    assert judge(quickstart, text, Origin(WEIGHTS, "a", "resnet18", "cifar")).found == []  # they were taken out again
    vit = text.replace('"conv4"', '"vit-tiny"')
    assert judge(vit, vit, Origin(WEIGHTS, "a", "vit-tiny", "imagenet", 4)).found == []
    (found,) = judge(vit, vit, Origin(WEIGHTS, "a", "vit-tiny", "cifar", 8)).found
    assert "is vit-tiny with patches of 4 pixels, the weights are of vit-tiny with patches of 8" in found.text


def test_differences_are_lines() -> None:
    assert differences(None, "a") == (frozenset(), [])
    assert differences("a\nb\n", "a\nb\n") == (frozenset(), [])
    assert differences("a\nb\n", "a\nx\ny\nb\n") == (frozenset({2, 3}), ["+x", "+y"])
    assert differences("a\nb\n", "a\n") == (frozenset(), ["-b"])


def test_the_answer_of_check_is_believed_only_where_it_is_one() -> None:
    row = {"key": "a.b", "text": "is wrong", "warning": True, "line": 3}
    answer = checked(json.dumps({"ok": True, "problems": [row]}))
    assert answer is not None
    assert answer[0] is True
    assert str(answer[1][0]) == "line 3  a.b: is wrong"
    for garbage in ("", "[]", "{}", '{"ok": true, "problems": [1]}'):
        assert checked(garbage) is None
