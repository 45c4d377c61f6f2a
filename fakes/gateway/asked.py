"""What POST /workflow/start takes. The rules are those of the document; a test holds the two together."""

import binascii
import io
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from PIL import Image, ImageOps
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

MAX_STROKE_POINTS = 2000
SIDE = 1024
"""Pixels of the longer side of the pictures in a result."""

MOST_PIXELS = 64_000_000
FORMATS = ("JPEG", "PNG")


class RefusedError(Exception):
    """A request that the gateway would refuse: the code, and each field at fault with what is wrong with it."""

    def __init__(self, code: str, fields: list[tuple[str, str]]) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class _StrokePoint(_Asked):
    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]


class _MaskPoint(_StrokePoint):
    label: Literal[0, 1]


class _Stroke(_Asked):
    points: Annotated[list[_StrokePoint], Field(min_length=1, max_length=MAX_STROKE_POINTS, fail_fast=True)]
    mode: Literal["add", "remove"]
    size: Annotated[float, Field(ge=1, le=500)]


class _StartRequest(_Asked):
    original_image_base64: str
    mask_points: Annotated[list[_MaskPoint], Field(min_length=1, max_length=64)]
    brush_strokes: Annotated[list[_Stroke] | None, Field(max_length=64)] = None
    session_id: Annotated[str | None, Field(max_length=128)] = None


@dataclass(frozen=True)
class Asked:
    """A start that is in order: the photo upright and small, the points where jewellery goes, the caller's session."""

    photo: bytes
    points: tuple[tuple[float, float], ...]
    session_id: str | None


def parse(body: bytes) -> Asked:
    """Read the body of a start.

    Raises:
        RefusedError: it is not as the document says.
    """
    try:
        asked = _StartRequest.model_validate_json(body)
    except ValidationError as error:
        raise RefusedError("INVALID_REQUEST", _fields(error)) from None
    if not any(point.label for point in asked.mask_points):
        message = "At least one point needs label 1, where the jewellery goes"
        raise RefusedError("INVALID_REQUEST", [("maskPoints", message)])
    if sum(len(stroke.points) for stroke in asked.brush_strokes or ()) > MAX_STROKE_POINTS:
        message = f"All strokes together may have {MAX_STROKE_POINTS} points"
        raise RefusedError("INVALID_REQUEST", [("brushStrokes", message)])
    points = tuple((point.x, point.y) for point in asked.mask_points if point.label)
    return Asked(_small(_decoded(asked.original_image_base64)), points, asked.session_id)


def _decoded(text: str) -> bytes:
    prefix, comma, data = text.partition(",")
    if prefix[:5].lower() == "data:":
        if not comma or not prefix.lower().endswith(";base64"):
            message = "A data: URL must say ;base64, before its data"
            raise RefusedError("INVALID_REQUEST", [("originalImageBase64", message)])
        text = data
    lines = text.split()
    if "+" not in text and len({len(line) for line in lines[:-1]}) > 1:
        lines = ["+".join(text.strip().split(" "))]  # no lines, but plus signs that a form has made spaces
    packed = "".join(lines).translate(str.maketrans("-_", "+/"))
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
    except ValueError:
        message = "Input should be valid base64"
        raise RefusedError("INVALID_REQUEST", [("originalImageBase64", message)]) from None


def _small(photo: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(photo), formats=FORMATS) as opened:
            if min(opened.size) < 32 or opened.width * opened.height > MOST_PIXELS:
                raise RefusedError("INVALID_IMAGE", [("originalImageBase64", f"A picture of {opened.size} pixels")])
            opened.draft("RGB", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, SyntaxError, ValueError):
        raise RefusedError("INVALID_IMAGE", [("originalImageBase64", "This is not a JPEG or PNG file")]) from None
    upright.thumbnail((SIDE, SIDE))
    small = io.BytesIO()
    upright.save(small, "JPEG", quality=88)
    return small.getvalue()


def _fields(invalid: ValidationError) -> list[tuple[str, str]]:
    return [(path(error["loc"]), error["msg"]) for error in invalid.errors(include_url=False, include_input=False)]


def path(location: tuple[Any, ...]) -> str:
    """Write ("maskPoints", 0, "x") as `maskPoints[0].x`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".") or "body"
