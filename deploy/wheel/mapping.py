"""Which folders of this tree become which packages of the wheel. Nothing is copied but into the wheel itself."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
TREE = HERE.parents[1]
PACKAGE = "temporal_dryrun"
FOLDERS = {"scenarios/virtual": "virtual", "fakes/kit": "kit"}
FILES = {
    TREE / "scenarios" / "headers.py": "headers.py",
    HERE / "package.py": "__init__.py",
    HERE / "harness.py": "kit/harness.py",  # in the place of the tree's own
    HERE / "py.typed": "py.typed",
    TREE / "LICENSE": "LICENSE",
}


class Mapping(BuildHookInterface[Any]):
    """Names every file of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Fill the wheel."""
        found = {source: f"{PACKAGE}/{place}" for source, place in FILES.items()}
        taken = set(found.values())
        for folder, name in FOLDERS.items():
            for source in sorted((TREE / folder).rglob("*.py")):
                place = f"{PACKAGE}/{name}/{source.relative_to(TREE / folder).as_posix()}"
                if place not in taken:
                    found[source] = place
        build_data["force_include"].update({str(source): place for source, place in found.items()})
