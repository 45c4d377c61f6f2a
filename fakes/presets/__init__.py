"""Sets of rules as a user would name them: what a host or a store does on a bad day, for all services at once."""

from pathlib import Path

from fakes import faults  # noqa: F401 - a preset has rules for all services
from fakes.kit.rules import Rule, read_rules, read_yaml

FOLDER = Path(__file__).parent
PRESETS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def path_of(name: str) -> Path:
    """Return the file of a preset.

    Raises:
        ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"no faults {name!r}: there are {', '.join(PRESETS)}")
    return FOLDER / f"{name}.yaml"


def rules_of(name: str) -> list[Rule]:
    """Return the rules of a preset.

    Raises:
        ValueError: there is no such preset.
    """
    return read_rules(read_yaml(str(path_of(name))))


def about(name: str) -> str:
    """Return what a preset does, in words: the comment at its head.

    Raises:
        ValueError: there is no such preset.
    """
    lines = path_of(name).read_text(encoding="utf-8").splitlines()
    return " ".join(line[1:].strip() for line in lines if line.startswith("#"))
