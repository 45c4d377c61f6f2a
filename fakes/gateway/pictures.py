"""The pictures of a result: the photo itself, with rings where jewellery was asked for."""

import base64
import io
from typing import Any

from PIL import Image, ImageDraw

from fakes.gateway.asked import Asked

GOLD, SILVER, GREEN = (212, 160, 23), (190, 200, 210), (20, 200, 90)
METRICS = {
    "fluxMetrics": {"precision": 0.98, "recall": 0.95, "iou": 0.92, "growthRatio": 1.02},
    "geminiMetrics": {"precision": 0.91, "recall": 0.93, "iou": 0.85, "growthRatio": 1.08},
}


def result(asked: Asked, *, gemini: bool, fidelity: bool) -> dict[str, Any]:
    """Return the `result` of a COMPLETED try-on: JPEGs in base64, metrics, and null for what is not there."""
    return {
        "fluxResultBase64": _drawn(asked, "Flux", GOLD),
        "geminiResultBase64": _drawn(asked, "Gemini", SILVER) if gemini else None,
        "fluxMetrics": METRICS["fluxMetrics"],
        "geminiMetrics": METRICS["geminiMetrics"] if gemini else None,
        "fluxFidelityVizBase64": _drawn(asked, "Flux fidelity", GREEN) if fidelity else None,
        "geminiFidelityVizBase64": _drawn(asked, "Gemini fidelity", GREEN) if fidelity and gemini else None,
    }


def _drawn(asked: Asked, name: str, colour: tuple[int, int, int]) -> str:
    picture = Image.open(io.BytesIO(asked.photo))
    draw = ImageDraw.Draw(picture)
    unit = max(4, max(picture.size) // 40)
    for x, y in asked.points:
        left, top = x * picture.width, y * picture.height
        draw.ellipse((left - unit, top - unit, left + unit, top + unit), outline=colour, width=max(2, unit // 3))
    draw.text((unit, unit), f"{name} (fake gateway)", fill=colour, font_size=unit)
    drawn = io.BytesIO()
    picture.save(drawn, "JPEG", quality=88)
    return base64.b64encode(drawn.getvalue()).decode()
