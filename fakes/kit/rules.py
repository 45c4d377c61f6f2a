"""What a rule may say, and every error of a set of rules at once, each with the name of its field."""

import hashlib
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationError, model_validator

from .bodies import Scalar
from .faults import Fault, kinds

RANGE = re.compile(r"(?P<first>[1-9]\d*)(?P<dash>-(?P<last>[1-9]\d*)?)?")


class RuleError(BaseModel):
    """One thing wrong with one rule."""

    rule: str
    """Its id, or its place in the list, from 0."""
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"rule {self.rule}", self.field, self.message) if part)


class RulesInvalid(Exception):  # noqa: N818 - reads as what it is: these rules are invalid
    """A set of rules was not accepted. Nothing of it was loaded."""

    def __init__(self, errors: list[RuleError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def _calls(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _body(value: Any) -> Any:
    if isinstance(value, dict):
        for name, wanted in value.items():
            if wanted is not None and not isinstance(wanted, str | int | float):
                raise ValueError(f"{name}: give a text, a number, true, false or null")
    return value


def parse_calls(text: str) -> list[tuple[int, float]]:
    """Return the ranges of call numbers in "1-2", "3", "2-" or "1,4-5", both ends included.

    Raises:
        ValueError: the text says something else.
    """
    ranges: list[tuple[int, float]] = []
    for part in text.split(","):
        found = RANGE.fullmatch(part.strip())
        if not found:
            raise ValueError(f'{text!r} is no range of calls: write "3", "1-2", "2-" or "1,4-5"')
        first = int(found["first"])
        last = float(found["last"] or "inf") if found["dash"] else float(first)
        if last < first:
            raise ValueError(f"{text!r} ends before it begins")
        ranges.append((first, last))
    return ranges


class Rule(BaseModel):
    """When a fault happens. All conditions that are given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(
        default="", max_length=200, pattern=r"^[^/\s]*$", description="Its name; made from the kind if none"
    )
    service: str = Field(default="*", min_length=1, description="Name of the fake, exact or with * and ?")
    operation: str = Field(default="*", min_length=1, description="Name of the operation; `*`: all that the fault fits")
    key: str = Field(default="*", min_length=1, description="The workflow id, exact or with *, ? and [abc]")
    calls: Annotated[str, BeforeValidator(_calls)] | None = Field(
        default=None, description='Which calls of a key and operation: "3", "1-2", "2-", "1,4-5"'
    )
    every: int | None = Field(default=None, ge=1, description="Every n-th call of a key and operation")
    body: Annotated[dict[str, Scalar], BeforeValidator(_body)] | None = Field(
        default=None,
        min_length=1,
        description="Fields of the JSON request by name: the value, a text also with *, ? and [abc]",
    )
    p: float | None = Field(default=None, ge=0, le=1, description="Probability, by a draw that ignores arrival order")
    after_s: float | None = Field(default=None, ge=0, description="Only so long after the key's first call, in seconds")
    for_s: float | None = Field(default=None, gt=0, description="Only for so long from then on, in seconds")
    max_hits: int | None = Field(default=None, ge=1, description="At most so often, all keys together")
    expect: bool | Annotated[int, Field(ge=1)] = Field(
        default=False, description="true, or a number of hits: below it the verdict is inconclusive"
    )
    fault: SerializeAsAny[Fault] = Field(description="What happens: `kind` and its parameters")

    @model_validator(mode="after")
    def _calls_readable(self) -> Self:
        if self.calls is not None:
            parse_calls(self.calls)
        return self

    @property
    def chosen(self) -> dict[str, Any]:
        """What chooses its calls: two rules of the same choose the same. Chance and `max_hits` are one's own."""
        own = {"id": self.id} if self.p is not None or self.max_hits is not None else {}
        return self.model_dump(exclude={"id", "expect", "fault"}) | own

    @property
    def least_hits(self) -> int:
        """How many hits `expect` asks for."""
        return int(self.expect)


def read_rules(data: Any) -> list[Rule]:
    """Return the rules in one rule, a list of rules, or {"rules": [...]}.

    Raises:
        RulesInvalid: with every error of every rule.
    """
    if isinstance(data, dict) and set(data) == {"rules"}:
        data = data["rules"]
    if data is None:
        data = []
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise RulesInvalid([RuleError(rule="0", field="", message="give one rule, a list of rules or {rules: [...]}")])
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for place, item in enumerate(data):
        name = str(item.get("id") or place) if isinstance(item, dict) else str(place)
        wrong, fault = _fault(item, name)
        try:
            rules.append(Rule.model_validate(_named(item) | {"fault": fault} if fault else item))
        except ValidationError as invalid:
            wrong += [error for error in _errors(invalid, name) if not (wrong and error.field.startswith("fault"))]
        errors += wrong
    if errors:
        raise RulesInvalid(errors)
    if same := _twice(rules) + _contradictions(rules):
        raise RulesInvalid(same)
    return rules


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """Return a rule with an id: its own, or one that is made from all that it says."""
    if item.get("id"):
        return item
    digest = hashlib.blake2b(repr(sorted(item.items(), key=str)).encode(), digest_size=3).hexdigest()
    return item | {"id": f"{item['fault']['kind']}-{digest}"}


def _fault(item: Any, name: str) -> tuple[list[RuleError], Fault | None]:
    """Return what is wrong with the fault of a rule, or the fault; neither when there is none that could be read."""
    given = item.get("fault") if isinstance(item, dict) else None
    if not isinstance(given, dict) or "kind" not in given:
        return [], None
    known = kinds()
    kind = known.get(str(given["kind"]))
    if kind is None:
        near = get_close_matches(str(given["kind"]), known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        return [RuleError(rule=name, field="fault.kind", message=f"no fault of kind {given['kind']!r}: {meant}")], None
    try:
        return [], kind.model_validate(given)
    except ValidationError as invalid:
        return _errors(invalid, name, "fault"), None


def _errors(invalid: ValidationError, name: str, *place: str) -> list[RuleError]:
    return [
        RuleError(rule=name, field=_field(error, *place), message=str(error["msg"]).removeprefix("Value error, "))
        for error in invalid.errors(include_url=False, include_input=False, include_context=False)
    ]


def _contradictions(rules: list[Rule]) -> list[RuleError]:
    """Return an error for each rule that is for the very calls of an earlier one in the list, and cannot act there."""
    errors = []
    for place, rule in enumerate(rules):
        same = (first for first in rules[:place] if first.chosen == rule.chosen)
        why = next((f"{first.id}: {words}" for first in same if (words := first.fault.contradicts(rule.fault))), None)
        if why is not None:
            errors.append(
                RuleError(rule=rule.id, field="fault", message=f"it would never act: it is for the calls of rule {why}")
            )
    return errors


def _twice(rules: list[Rule]) -> list[RuleError]:
    """Return an error for each rule whose id an earlier one of the list has: it would take its place unseen."""
    first: dict[str, int] = {}
    return [
        RuleError(rule=rule.id, field="id", message=f"the same as that of rule {first[rule.id]} in this list")
        for place, rule in enumerate(rules)
        if first.setdefault(rule.id, place) != place
    ]


def read_yaml(text_or_path: str) -> Any:
    """Return the data in YAML: the text itself when it has a colon, bracket or line break, else the file of that path.

    Raises:
        RulesInvalid: there is no such file, or it is no YAML.
    """
    text, where = text_or_path, "the text given"
    if not any(mark in text for mark in (":", "[", "{", "\n")):
        where = text
        try:
            text = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise RulesInvalid(
                [RuleError(rule=where, field="", message=f"cannot be read: {error.strerror}")]
            ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise RulesInvalid([RuleError(rule=where, field="", message=f"is no YAML{line}")]) from error


def _field(error: Any, *place: str) -> str:
    parts = [*place, *map(str, error["loc"])]
    if error["type"] == "value_error" and not parts:
        return "calls"
    return ".".join(part for part in parts if not part.startswith(("function-", "constrained-")))
