"""From what was written to every value that applies: stages over what they share, `--set` over both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import tomli
from pydantic import ValidationError

from sslterm.presets.problems import PresetError, Problem, key_of, nearest, sentences
from sslterm.presets.sections import STAGE_NAME, Optimizer, Preset, Stage

SHARED_BY_STAGES = tuple(key for key in Stage.model_fields if key not in ("name",))
PRESET_KEYS = tuple(key for key in Preset.model_fields if key != "stage")


def resolve(written: Mapping[str, Any], source: str = "preset") -> Preset:
    """Every value that applies, from what was written. Raises PresetError with all problems at once."""
    preset, problems = salvage(written)
    if problems:
        raise PresetError(source, problems)
    return preset


def salvage(written: Mapping[str, Any], assignments: Iterable[str] = ()) -> tuple[Preset, list[Problem]]:
    """The preset as far as it can be made out, and what is wrong with it; `assignments` are those of `--set`.

    Defaults stand in for what cannot be, so that everything else can be judged too.
    """
    written, problems = override(written, assignments)
    known = {*SHARED_BY_STAGES, *PRESET_KEYS, "stage"}
    problems += [Problem(key, f"no such setting{nearest(key, known)}") for key in written if key not in known]
    shared = {key: value for key, value in written.items() if key in SHARED_BY_STAGES}
    whole = {key: value for key, value in written.items() if key in PRESET_KEYS}

    stages = []
    for place, said in enumerate(_stages_said(written, problems)):
        stage, wrong = _validated(Stage, _merge(shared, said), {"name": str(place), "method": {}})
        stages.append(stage)
        problems += [_placed(p, said, f"stage.{stage.name}") for p in wrong]
    names = [stage.name for stage in stages]
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.append(Problem(f"stage.{name}", "two stages have this name; give each its own"))
    preset, wrong = _validated(Preset, {**whole, "stage": tuple(stages)}, {})
    return preset, list(dict.fromkeys([*problems, *wrong]))


def _stages_said(written: Mapping[str, Any], problems: list[Problem]) -> list[dict[str, Any]]:
    """Each stage's own words, with a name; a preset without stages has one, named after its method."""
    said = written.get("stage")
    if said is None:
        method = written.get("method")
        name = str(method.get("name")) if isinstance(method, dict) else "train"
        return [{"name": name if re.match(STAGE_NAME, name) else "train"}]
    if not isinstance(said, list) or not said or not all(isinstance(stage, dict) for stage in said):
        problems.append(Problem("stage", "stages are written as [[stage]], each with its settings below"))
        return [{"name": "train", "method": {}}]
    for place, stage in enumerate(said):
        if "name" not in stage:
            problems.append(Problem(f"stage.{place}.name", 'is missing; give the stage a name, as in name = "probe"'))
    return [{"name": str(place), **stage} for place, stage in enumerate(said)]


def _merge(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's own words over the shared ones, key by key; a section that names another kind starts anew."""
    merged = dict(shared)
    for key, value in own.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not _other_kind(before, value):
            merged[key] = _merge(before, value)
        else:
            merged[key] = value
    return merged


def _other_kind(before: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return "name" in value and value["name"] != before.get("name", value["name"])


def _validated(section: type[Any], value: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> tuple[Any, list[Problem]]:
    """The section, and what is wrong; without what is wrong, where something is. `stand_ins`: what has no default."""
    try:
        return section.model_validate(value), []
    except ValidationError as error:
        sound = _copied(value)
        for item in error.errors(include_url=False):
            _drop(sound, key_of(item))
        return section.model_validate({**stand_ins, **sound}), sentences(error, section)


def _drop(table: Any, path: list[str]) -> None:
    for part in path[:-1]:
        table = table.get(part, {})
    table.pop(path[-1], None)


def _placed(problem: Problem, said: Mapping[str, Any], prefix: str) -> Problem:
    """A stage's problem, named where it was written: in the stage itself, or in the section that all share."""
    at: Any = said
    for part in problem.key.split("."):
        if not isinstance(at, Mapping) or part not in at:
            return problem
        at = at[part]
    return Problem(f"{prefix}.{problem.key}", problem.text, problem.warning)


def override(written: Mapping[str, Any], assignments: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The written preset with `KEY=VALUE` applied, as `--set` does, and what cannot be applied.

    A shared key (`epochs`, `views.flip`) holds for every stage, also for those that say their own;
    `stage.NAME.KEY` for one stage. What means another thing in each stage is asked for by stage: the method's knobs,
    and those of the optimizer where the stages have different ones.
    """
    result = _copied(written)
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            problems.append(Problem(assignment, "an override is written KEY=VALUE, as in epochs=20"))
            continue
        problem = _assign(result, key.strip().split("."), _value(text.strip()))
        if problem:
            problems.append(Problem(key.strip(), problem))
    return result, problems


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _value(text: str) -> Any:
    """A TOML value; what is none is text, so that quotes are not needed in a shell."""
    try:
        return tomli.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def _assign(preset: dict[str, Any], path: list[str], value: Any) -> str | None:
    said = preset.get("stage")
    stages = [stage for stage in said if isinstance(stage, dict)] if isinstance(said, list) else []
    if path[0] == "stage":
        if len(path) < 3:
            return "say which setting of which stage, as in stage.probe.epochs"
        named = [stage for stage in stages if stage.get("name") == path[1]]
        if not named:
            return f"no stage is named {path[1]}{nearest(path[1], [str(stage.get('name')) for stage in stages])}"
        _put(named[0], path[2:], value)
        return None
    if stages and (path[0] == "method" or _differs(path, [_merge(preset, stage) for stage in stages])):
        each = " or ".join(f"stage.{stage.get('name')}.{'.'.join(path)}" for stage in stages)
        return f"each stage has {'a method' if path[0] == 'method' else 'an optimizer'} of its own; say {each}"
    for stage in stages:
        # A stage's own words would win over the shared value, but what is typed last is meant most.
        if path[0] in SHARED_BY_STAGES and path[0] in stage:
            _put(stage, path, value)
    _put(preset, path, value)
    return None


def _differs(path: list[str], stages: list[dict[str, Any]]) -> bool:
    """Whether it is a setting of the optimizer, and not every stage has the same kind."""
    tables = [stage["optimizer"] if isinstance(stage.get("optimizer"), dict) else {} for stage in stages]
    kinds = [table.get("name", Optimizer().name) for table in tables]
    known = path[0] == "optimizer" and len(path) > 1 and path[1] in Optimizer.model_fields
    return known and any(kind != kinds[0] for kind in kinds)


def _put(table: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    table[path[-1]] = value
