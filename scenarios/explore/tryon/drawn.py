"""Plans of several parts, drawn by chance: what the user sends, what goes wrong, what the user does."""

from random import Random
from typing import Any

from scenarios.explore.application import Site
from scenarios.explore.tryon.acts import acts
from scenarios.explore.tryon.kinds import Kind, kinds
from scenarios.explore.tryon.plans import START, allowed, changed, named, with_fault
from scenarios.photos import ENCODINGS, NAMED, PHOTOS
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedLosses, Point, Spot, Stroke

COSTLY = ("large", "twelve-megapixels")
"""Photos whose decoding costs as much as the whole story of a small one."""
ODD_SHAPES = ("narrow", "least")
"""Photos so small that a stroke or a lie need not show."""
BAD_PHOTOS = ("half", "half-progressive", "text", "empty", "one-pixel", "gif")
GOOD_PHOTOS = tuple(name for name in NAMED if name not in (*COSTLY, *ODD_SHAPES, *BAD_PHOTOS))
ANY_FILE = tuple(ENCODINGS)
ODD_BODIES: tuple[dict[str, Any], ...] = (
    {"sessionId": "s" * 128},
    {"sessionId": "\u00e4 session, with 'quotes' and \U0001f48d"},
    {"sessionId": ""},
    {"sessionId": None},
    {"unknown": {"to": ["nobody"]}},
)
WRONG_BODIES: tuple[dict[str, Any], ...] = (
    {"sessionId": "s" * 129},
    {"maskPoints": []},
    {"maskPoints": None},
    {"maskPoints": [{"x": 0.5, "y": 0.5, "label": 0}]},
    {"maskPoints": [{"x": 0.5, "y": 0.5, "label": 2}]},
    {"maskPoints": [{"x": 0.5, "y": 0.5, "label": True}]},
    {"maskPoints": [{"x": -0.01, "y": 0.5, "label": 1}]},
    {"maskPoints": [{"x": 0.5, "y": "0.5", "label": 1}]},
    {"maskPoints": [{"x": 0.5, "y": 0.5, "label": 1}] * 65},
    {"brushStrokes": [{"points": [], "mode": "add", "size": 9}]},
    {"brushStrokes": [{"points": [{"x": 0.5, "y": 0.5}], "mode": "paint", "size": 9}]},
    {"brushStrokes": [{"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 501}]},
    {"brushStrokes": [{"points": [{"x": 0.5, "y": 0.5}] * 2001, "mode": "add", "size": 9}]},
    {"originalImageBase64": "no picture!"},
    {"originalImageBase64": None},
)
"""One for each limit that docs/api.md names."""


def drawn(chance: Random) -> Plan:
    """Return a plan of several parts that the model can tell, each with a random subset of kinds."""
    plan = named(START)
    for _ in range(20):
        plan = _drawn(chance)
        if allowed(plan):
            return plan
    return plan


def _drawn(chance: Random) -> Plan:
    if chance.random() < 0.05:  # a start that is refused: nothing else comes of it
        wrong = {"photo": chance.choice(BAD_PHOTOS)} if chance.random() < 0.4 else {"body": chance.choice(WRONG_BODIES)}
        return changed(START, **wrong)
    plan = START.model_copy(update=_request(chance))
    families = [word for word in ("status", "connection", "time", "job", "picture", "field") if chance.random() < 0.5]
    told = allowed(plan)
    for _ in range(chance.choice((1, 2, 2, 3, 4))):
        if not told or not told[0].calls:
            break
        call = chance.choice(told[0].calls)
        site = Site(call.name, call.number)
        choices = [kind for kind in kinds(call.name) if _family(kind) in families] or kinds(call.name)
        if (more := with_fault(plan, site, chance.choice(choices))) and (next_told := allowed(more)):
            plan, told = more, next_told
    possible = list(acts(plan))
    for _ in range(chance.choice((0, 0, 1, 1, 2)) if possible else 0):
        other = chance.choice(possible)[1]()
        plan = merged if other and (merged := _with_acts(plan, other)) and allowed(merged) else plan
    return named(plan)


def _with_acts(plan: Plan, other: Plan) -> Plan | None:
    """Return a plan with what another has more than it; None where both cancel."""
    acts_of_both = tuple(dict.fromkeys((*plan.acts, *other.acts)))
    if sum(act.do == "cancel" and not isinstance(act.at, str) for act in acts_of_both) > 1:
        return None
    return changed(
        plan,
        rules=other.rules,
        acts=acts_of_both,
        around=other.around or plan.around,
        departures=other.departures or plan.departures,
        lost=other.lost if plan.lost == PlannedLosses() else plan.lost,
        staging=plan.staging or other.staging,
        guarded=plan.guarded or other.guarded,
        beside=other.beside or plan.beside,
    )


def _family(kind: Kind) -> str:
    word = str(kind.fault["kind"])
    if word in {"status", "garbage", "content_type", "extra_field"}:
        return "status"
    if word in {"delay", "hang", "dribble"}:
        return "time"
    if word.endswith(("_field", "_type")):
        return "field"
    first = word.partition("_")[0]
    return {"job": "job", "picture": "picture", "mask": "picture", "base64": "picture"}.get(first, "connection")


def _request(chance: Random) -> dict[str, Any]:
    """Draw what the user sends from all that the API allows, as far as the photos here go."""
    photo = chance.choice((*GOOD_PHOTOS, "near", "far", "far", "far"))
    if chance.random() < 0.25:
        photo = chance.choice(ANY_FILE)
    parts: dict[str, Any] = {"photo": photo}
    if chance.random() < 0.3:
        parts["points"] = _points(chance, photo)
    if chance.random() < 0.5:
        parts["strokes"] = tuple(_stroke(chance) for _ in range(chance.choice((1, 1, 2, 5, 64))))
    if chance.random() < 0.2:
        parts["body"] = chance.choice(ODD_BODIES)
    return parts


def _points(chance: Random, photo: str) -> tuple[Point, ...]:
    """Draw points that a mask of the person agrees with: on the neck, and in the corners."""
    x, y = PHOTOS[photo].neck
    necks = [
        Point(x=round(x + chance.uniform(-0.004, 0.004), 4), y=round(y + chance.uniform(-0.004, 0.004), 4), label=1)
        for _ in range(chance.choice((1, 1, 2, 60)))
    ]
    corners = [(0.0, 0.0), (1.0, 0.0), (0.03, 0.5), (0.97, 0.02)]
    points = [*necks, *(Point(x=a, y=b, label=0) for a, b in chance.sample(corners, chance.randint(0, 4)))]
    chance.shuffle(points)
    return tuple(points)


def _stroke(chance: Random) -> Stroke:
    spots = tuple(
        Spot(x=round(chance.uniform(0.1, 0.9), 4), y=round(chance.uniform(0.1, 0.9), 4))
        for _ in range(chance.choice((1, 2, 3, 8, 30)))
    )
    return Stroke(points=spots, mode=chance.choice(("add", "remove")), size=chance.choice((1, 5, 12, 40.5)))
