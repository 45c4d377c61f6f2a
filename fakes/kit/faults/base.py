"""What a fault is: a class with one method, which registers itself under its `kind` where it is defined."""

import enum
from abc import abstractmethod
from importlib import metadata
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict

from ..calls import Answer, Call, Operation

ENTRY_POINTS = "fakes.faults"
"""The group of entry points under which a package names the modules of its faults."""


class Part(enum.Enum):
    """A part of a call that one fault alone can decide."""

    WORK = "whether the service does its work"
    BODY = "what the body is"
    TYPE = "the Content-Type"
    PACE = "how quickly the body comes"
    ENDING = "how the answer ends"
    JOB = "what becomes of the job"
    LENGTH = "how long the job takes"
    BEGINNING = "how the job begins"
    RESULT = "what the job leads to"
    PICTURE = "whether the picture is whole"
    NAME = "what the picture is called"


ALL = frozenset(Part)


class Fault(BaseModel):
    """A fault of one kind. Its fields are its parameters; the first line of its docstring is its line in the docs.

    Kinds derive from one of the classes that name the moment at which they act: CallFault, AnswerFault, and those of
    jobs, contract and pictures. Each of these asks for one method.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: str

    family: ClassVar[str] = "own"
    """Its heading in the docs."""
    takes: ClassVar[frozenset[Part]] = frozenset()
    """What it decides alone: a fault that decides or needs the same cannot act on the same call."""
    needs: ClassVar[frozenset[Part]] = frozenset()
    """What it needs as the service would have it."""
    carried: ClassVar[bool] = False
    """On a submit it goes with the job, and acts when a poll shows it."""
    of_the_host: ClassVar[bool] = False
    """It answers whatever is asked, what is no operation too, when its rule says `*` and has no condition."""
    only_virtual: ClassVar[str] = ""
    """Why no fake can do it to a caller in real time, and what to do there; empty: it can."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Register a class that says its `kind`.

        Raises:
            TypeError: another class has that kind already.
        """
        for kind in get_args(cls.model_fields["kind"].annotation):
            known = _KINDS.setdefault(kind, cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"two faults of the kind {kind!r}: {known} and {cls}")
            _KINDS[kind] = cls  # the same class again: its module was loaded anew

    def misfit(self, operation: Operation) -> str | None:  # noqa: ARG002 - the default looks at nothing
        """Return why the fault cannot act on an operation, None when it can."""
        return None

    def contradicts(self, other: "Fault") -> str | None:
        """Return in words why two faults cannot act on one call, None when they can."""
        for one, two in ((self, other), (other, self)):
            if both := one.takes & two.takes:
                return f"{one.kind} and {two.kind} both decide {_first(both)}"
            if lost := one.takes & two.needs:
                return f"{one.kind} decides {_first(lost)}, which {two.kind} needs as it would be"
        return None


_KINDS: dict[str, type[Fault]] = {}
_loaded = False


def kinds() -> dict[str, type[Fault]]:
    """Return every kind of fault by its name: those that were imported, and those of installed packages."""
    global _loaded  # noqa: PLW0603 - packages are looked for once
    if not _loaded:
        _loaded = True
        for package in metadata.entry_points(group=ENTRY_POINTS):
            package.load()
    return _KINDS


def _first(parts: frozenset[Part]) -> str:
    return next(part.value for part in Part if part in parts)


class CallFault(Fault):
    """A fault that acts before the service does its work."""

    @abstractmethod
    async def act(self, call: Call) -> Answer | None:
        """Have the caller wait (`call.wait`), or return what is answered in place of the service's answer.

        One that returns an answer says so in `takes`: Part.WORK, and whatever else of the call is its own.
        """


class AnswerFault(Fault):
    """A fault of the complete answer. One that needs the service's work acts on answers without an error alone."""

    @abstractmethod
    def act(self, call: Call, answer: Answer) -> Answer | None:
        """Return what goes out in place of the answer, None when there was nothing to change."""
