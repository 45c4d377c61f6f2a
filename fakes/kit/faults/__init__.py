"""The kinds of faults. To add one: write its class in the module of its family and name it in FAULTS."""

from typing import Annotated, get_args

from pydantic import Field

from fakes.kit.faults.base import Fault
from fakes.kit.faults.connection import AnswerLost, Empty, Refuse, Reset, Truncate
from fakes.kit.faults.contract import ExtraField, MissingField, NullField, WrongType
from fakes.kit.faults.http import ContentType, Garbage, Status
from fakes.kit.faults.jobs import (
    JobFailed,
    JobFlapping,
    JobForeign,
    JobLate,
    JobLost,
    JobNoResult,
    JobSlow,
    JobStuck,
    JobUnknownStatus,
)
from fakes.kit.faults.pictures import (
    Base64Broken,
    GeminiNull,
    MaskEmpty,
    MaskForeign,
    MaskFull,
    MaskInverted,
    PictureFormat,
    PictureNoAlpha,
    PictureSize,
    PictureTruncated,
    PictureUnchanged,
)
from fakes.kit.faults.waiting import Delay, Dribble, Hang

__all__ = ["FAULTS", "AnyFault", "Fault", "Refuse"]

AnyFault = Annotated[
    Status
    | Delay
    | Hang
    | Reset
    | AnswerLost
    | Empty
    | Truncate
    | Garbage
    | ContentType
    | Dribble
    | Refuse
    | JobSlow
    | JobStuck
    | JobFailed
    | JobLost
    | JobLate
    | JobNoResult
    | JobForeign
    | JobUnknownStatus
    | JobFlapping
    | PictureTruncated
    | PictureSize
    | PictureNoAlpha
    | PictureUnchanged
    | PictureFormat
    | MaskEmpty
    | MaskFull
    | MaskInverted
    | MaskForeign
    | Base64Broken
    | GeminiNull
    | MissingField
    | NullField
    | WrongType
    | ExtraField,
    Field(discriminator="kind"),
]
"""A fault of any kind, told apart by its `kind`."""

FAULTS: dict[str, type[Fault]] = {
    get_args(fault.model_fields["kind"].annotation)[0]: fault for fault in get_args(get_args(AnyFault)[0])
}
"""Every kind by its name, in the order of the docs."""
