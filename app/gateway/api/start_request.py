"""What a client asks for: the body of POST /workflow/start, validated to the last number."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.errors.request import FieldProblem, RequestError
from app.gateway.api.errors import field_problems
from app.json_limits import has_more_structure
from app.pictures.base64_text import Base64Error, decode_base64
from app.pipeline.models import Fraction, MaskPoint, Stroke, WorkflowInput

MAX_POINTS = 64
MAX_STROKES = 64
MAX_STROKE_POINTS = 2000
MAX_SESSION_ID = 128
MAX_BRUSH = 500
"""Pixels of the resized picture."""

MOST_STRUCTURE = 20_000
"""Of `[`, `{` and `,` in a body. The largest legal one has 6,700; the rest is for unknown fields, which are ignored."""

DECIMALS = 6
"""Enough for a ten-thousandth of a pixel, and 2,000 points stay under 64 KiB."""

IMAGE_FIELD = "originalImageBase64"


def _decode(value: Any) -> bytes:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a string of base64")
    try:
        return decode_base64(value)
    except Base64Error as error:
        raise PydanticCustomError("base64", "{reason}", {"reason": str(error)}) from None


def _whole(value: Any) -> Any:
    """Keep `true` and `1.0` out, which Python takes for the literal 1."""
    if type(value) is not int:
        raise PydanticCustomError("literal_error", "Input should be 0 or 1")
    return value


class Asked(BaseModel):
    """Base of what clients send: exact types, unknown fields are ignored."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class AskedPoint(Asked):
    """A point on the picture, in fractions of its width and height; label 1 marks jewellery, 0 the rest."""

    x: Fraction
    y: Fraction
    label: Annotated[Literal[0, 1], BeforeValidator(_whole)]


class StrokePoint(Asked):
    """A point of a stroke, in fractions of the picture's width and height."""

    x: Fraction
    y: Fraction


class AskedStroke(Asked):
    """A brush stroke on the mask; `size` is its diameter in pixels of the resized picture."""

    # Of thousands of wrong points the first one says enough; each error costs more than the point.
    points: Annotated[list[StrokePoint], Field(min_length=1, max_length=MAX_STROKE_POINTS, fail_fast=True)]
    mode: Literal["add", "remove"]
    size: Annotated[float, Field(ge=1, le=MAX_BRUSH, allow_inf_nan=False)]


def _with_foreground(points: list[AskedPoint]) -> list[AskedPoint]:
    if not any(point.label for point in points):
        raise PydanticCustomError("no_foreground", "At least one point needs label 1, where the jewellery goes")
    return points


def _not_too_many(strokes: list[AskedStroke] | None) -> list[AskedStroke] | None:
    if sum(len(stroke.points) for stroke in strokes or ()) > MAX_STROKE_POINTS:
        raise PydanticCustomError("stroke_points", f"All strokes together may have {MAX_STROKE_POINTS} points")
    return strokes


class StartRequest(Asked):
    """The photo, where the jewellery goes, and what was painted on the mask."""

    picture: Annotated[
        bytes,
        PlainValidator(_decode),
        WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
        Field(
            alias=IMAGE_FIELD,
            description="JPEG or PNG, 32 pixels a side to 64 megapixels, in base64; also as a `data:` URL or in lines.",
        ),
    ]
    mask_points: Annotated[
        list[AskedPoint],
        Field(min_length=1, max_length=MAX_POINTS, description="At least one with label 1."),
        AfterValidator(_with_foreground),
    ]
    brush_strokes: Annotated[
        list[AskedStroke] | None,
        Field(max_length=MAX_STROKES, description=f"At most {MAX_STROKE_POINTS} points in all strokes together."),
        AfterValidator(_not_too_many),
    ] = None
    session_id: Annotated[str | None, Field(max_length=MAX_SESSION_ID)] = None

    def workflow_input(self, image_uri: str) -> WorkflowInput:
        """Return what the workflow starts with: the picture as a URI, coordinates in six decimals."""
        return WorkflowInput(
            image=image_uri,
            mask_points=[
                MaskPoint(x=round(point.x, DECIMALS), y=round(point.y, DECIMALS), label=point.label)
                for point in self.mask_points
            ],
            brush_strokes=[
                Stroke(
                    points=[(round(point.x, DECIMALS), round(point.y, DECIMALS)) for point in stroke.points],
                    mode=stroke.mode,
                    size=stroke.size,
                )
                for stroke in self.brush_strokes or ()
            ],
            session_id=self.session_id,
        )


def parse_start(body: bytes) -> StartRequest:
    """Read the body of a start.

    Raises:
        RequestError: names each field at fault, and repeats nothing of what was sent.
    """
    if has_more_structure(body, MOST_STRUCTURE):
        problem = FieldProblem("body", "Input has more fields and list items than any try-on needs")
        raise RequestError(_headline([problem]), details=[problem])
    try:
        return StartRequest.model_validate_json(body)
    except ValidationError as error:
        problems = field_problems(error.errors(include_url=False, include_input=False, include_context=False))
    raise RequestError(_headline(problems), details=problems)


def _headline(problems: list[FieldProblem]) -> str:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{first.field}: {first.message}{more}"
