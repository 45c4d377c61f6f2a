"""What a call is answered under the rules that it meets (docs/fakes.md, Faults)."""

import math
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from json import dumps, loads
from typing import Any

from scenarios.model.choices import Undecided
from scenarios.model.faults import (
    BROKEN,
    JOB_KINDS,
    NEVER_ASKED,
    NOBODY,
    PICTURE_KINDS,
    UNREACHED,
    UNRESOLVED,
    Fault,
    Json,
    Matched,
    Reply,
)
from scenarios.model.numbers import CONNECT, FLOAT_NOISE, MOST_HOPS

WIDE = 1_000_000
"""Bytes that no answer in a plan has."""
GARBAGE = 24
"""Bytes of the usual one (docs/fakes.md)."""


def answered(met: Sequence[Matched], truth: Json | None, acted: Callable[[Matched], None]) -> Reply:
    """Return what a call is answered: first those that wait, then one in place of the work, then what changes it.

    Args:
        met: the rules that the call meets, in their order.
        truth: what would be answered without them; None for a job that the service does not know.
        acted: told of each rule that changes something.

    Raises:
        Undecided: there is a fault among them that the model does not know, or whose length it cannot tell.
    """
    if unknown := [each.kind for each in met if each.kind not in KNOWN]:
        raise Undecided(f"the model does not know the fault {unknown[0]}")
    reply = _instead(met, truth, acted)
    for each in met:
        if each.kind in _CHANGES and _CHANGES[each.kind](each.fault, reply):
            acted(each)
        elif each.kind in _FIELDS and reply.worked and not reply.elsewhere and reply.json is not None:
            changed = _FIELDS[each.kind](each.fault, reply.json)
            if changed != reply.json or each.kind in _AS_IT_IS:
                reply.json = changed
                acted(each)
    if reply.worked:
        reply.lies = tuple(each for each in met if each.kind in PICTURE_KINDS)
    return reply


def _instead(met: Sequence[Matched], truth: Json | None, acted: Callable[[Matched], None]) -> Reply:
    """Return the service's answer, or what is answered in its place, after all that has the caller wait."""
    late = 0.0
    for each in met:
        if each.kind in _WAITS and (seconds := _WAITS[each.kind](each)) > 0:
            late += seconds
            acted(each)
    for each in met:
        if each.kind in _INSTEAD and (reply := _INSTEAD[each.kind](each)):
            if late and reply.how == BROKEN:
                raise Undecided("a connection that breaks after a delay")
            acted(each)
            reply.after += 0.0 if reply.how in NEVER_ASKED else late
            reply.worked, reply.replaced = False, True
            return reply
    if truth is None:
        return Reply(status=404, after=late, json={"detail": "no such job"}, worked=False)
    return Reply(after=late, json=truth)


_WAITS: Mapping[str, Callable[[Matched], float]] = {
    "delay": lambda met: _seconds(met.fault.get("seconds", 1.0)),
    "slow_upload": lambda met: float(met.fault.get("seconds", 10)),
    "cold_start": lambda met: max(0.0, float(met.fault.get("seconds", 60)) - met.since),
}


def _status(met: Matched) -> Reply:
    body = met.fault.get("body")
    text = body if isinstance(body, str) else dumps({"detail": "the fake was told to fail"} if body is None else body)
    return Reply(
        after=_seconds(met.fault.get("delay") or 0),
        status=met.fault["status"],
        retry_after=_retry_after(met.fault),
        json=_parsed(text),
        of_a_host=bool(text.strip()) and not text.lstrip().startswith("{"),
        bodiless=body == "",
        size=None if body is None else _size(text),
    )


def _parsed(text: str) -> Json | None:
    """Return a body's object; one without fields for JSON of another shape; None for what is no JSON, or null."""
    try:
        value = loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None if value is None else {}


def _size(text: str) -> int:
    return len(text.encode())


def _poll_error(met: Matched) -> Reply | None:
    good = int(met.fault.get("good", 0))
    if good < met.number <= good + int(met.fault.get("number", 3)):
        return Reply(status=int(met.fault.get("status", 502)), of_a_host=True)
    return None


_INSTEAD: Mapping[str, Callable[[Matched], Reply | None]] = {
    "status": _status,
    "poll_errors": _poll_error,
    "hang": lambda _met: Reply(after=math.inf),
    "reset": lambda _met: Reply(BROKEN),
    "empty": lambda _met: Reply(BROKEN),
    "refuse": lambda _met: Reply(NOBODY),
    "dns": lambda _met: Reply(UNRESOLVED),
    "unreachable": lambda _met: Reply(UNREACHED, after=CONNECT),
    "host_gone": lambda met: Reply(
        status=404, of_a_host=True, size=_size(met.fault["text"]) if "text" in met.fault else None
    ),
    "not_ready": lambda met: Reply(status=202, retry_after=_retry_after(met.fault), bodiless=True),
    # docs/fakes.md, The blob store; what the store's own words mean: docs/errors.md
    "container_being_deleted": lambda _met: Reply(status=STORE_PASSES),
    "container_missing": lambda _met: Reply(status=403),
    "key_not_permitted": lambda _met: Reply(status=403),
    "clock_skew": lambda _met: Reply(status=403),
}
STORE_PASSES = 503
"""What a refusal of the store is like that passes by itself, whatever its status."""


def _lost(_fault: Fault, reply: Reply) -> bool:
    if reply.after:
        raise Undecided("a connection that breaks after a delay")
    reply.how = BROKEN
    return True


def _cut(_fault: Fault, reply: Reply) -> bool:
    if reply.bodiless or reply.elsewhere:
        return False
    reply.how = BROKEN
    return True


def _garbled(fault: Fault, reply: Reply) -> bool:
    if reply.bodiless or reply.elsewhere:
        return False
    reply.json, reply.of_a_host = None, False
    reply.size = _size(fault["body"]) if "body" in fault else GARBAGE
    return True


def _paced(fault: Fault, reply: Reply) -> bool:
    """Have an answer, or its headers, come in pieces."""
    if fault["kind"] == "dribble" and (reply.bodiless or reply.elsewhere):
        return False
    usual = 1 if fault["kind"] == "dribble" else 16
    size, pause = fault.get("bytes", usual), float(fault.get("pause", 1.0))
    reply.silence = max(reply.after, pause)
    if size >= WIDE:
        reply.after += pause
    elif fault["kind"] == "dribble" and reply.size is not None:
        reply.after += math.ceil(reply.size / size) * pause
    elif size == 1 and pause >= 5:  # a service's shortest has some 40 bytes, its head more: longer than any deadline
        reply.after = math.inf
    else:
        raise Undecided(f"how long a {fault['kind']} takes depends on the length of the answer")
    return True


def _redirected(fault: Fault, reply: Reply) -> bool:
    """Lead to the answer; to another host nobody follows, nor more often than so many times."""
    reply.elsewhere = True
    if fault.get("elsewhere") or fault.get("hops", 1) > MOST_HOPS:
        reply.status, reply.json, reply.of_a_host = 303, None, False
    return True


_CHANGES: Mapping[str, Callable[[Fault, Reply], bool]] = {
    "answer_lost": _lost,
    "truncate": _cut,
    "garbage": _garbled,
    "content_type": lambda _fault, _reply: True,
    "blob_size": lambda _fault, _reply: True,
    "dribble": _paced,
    "slow_headers": _paced,
    "redirect": _redirected,
}
"""What is done to a complete answer; each says whether it changed it."""


def _without(fault: Fault, truth: Json) -> Json:
    return {name: value for name, value in truth.items() if name != fault["field"]}


def _null(fault: Fault, truth: Json) -> Json:
    return truth | {fault["field"]: None} if fault["field"] in truth else truth


def _other_type(fault: Fault, truth: Json) -> Json:
    name = fault["field"]
    if name not in truth:
        return truth
    if truth[name] in WRONG:
        raise Undecided("the wrong type of a wrong type may be the right one")
    return truth | {name: WRONG[isinstance(truth[name], str)]}


WRONG = ("forty-two", 42)
"""What stands in the place of a number or of an object, and of a text (docs/fakes.md, wrong_type)."""


def _broken_pictures(_fault: Fault, truth: Json) -> Json:
    return {
        name: "broken" if name.endswith("_base64") and value is not None else value for name, value in truth.items()
    }


def _broken_picture(fault: Fault, truth: Json) -> Json:
    return truth | {fault["field"]: "broken"} if truth.get(fault["field"]) is not None else truth


def _no_gemini(_fault: Fault, truth: Json) -> Json:
    return {name: None if "gemini" in name else value for name, value in truth.items()}


def _noisy(fault: Fault, truth: Json) -> Json:
    """Leave the metrics as they are but for noise: by more than 1 none is a share, and by less one may be."""
    by = fault.get("by", 1e-9)
    if by <= FLOAT_NOISE:
        return truth
    off = PERHAPS_NO_SHARES if by <= 1 + FLOAT_NOISE else NO_SHARES
    return truth | {name: off for name in ("metrics", "metrics_gemini") if truth.get(name) is not None}


NO_SHARES = {"recall": 2.0}
"""Metrics of the right shape, of which one is no share."""
PERHAPS_NO_SHARES = {"recall": 1.0}
"""Metrics of the right shape: whether each is a share still depends on what it was."""


def _other_value(fault: Fault, truth: Json) -> Json:
    if fault["field"] not in truth:
        return truth
    if not str(fault["field"]).endswith("_uri") or not isinstance(fault["value"], str):
        raise Undecided(f"what another {fault['field']} leads to")
    return truth | {fault["field"]: fault["value"]}


OFF = "off by"
"""What is noted of a number that is not the true one: which field, and by how much."""


def _off(fault: Fault, truth: Json) -> Json:
    name, by = fault["field"], int(fault.get("by", 2))
    value = truth.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return truth
    return truth | {OFF: {**truth.get(OFF, {}), name: by + truth.get(OFF, {}).get(name, 0)}}


_FIELDS: Mapping[str, Callable[[Fault, Json], Json]] = {
    "missing_field": _without,
    "null_field": _null,
    "wrong_type": _other_type,
    "wrong_value": _other_value,
    "wrong_number": _off,
    "extra_field": lambda _fault, truth: truth | {"surprise": True},
    "base64_broken": _broken_pictures,
    "result_broken": _broken_picture,
    "gemini_null": _no_gemini,
    "float_noise": _noisy,
    "base64_dress": lambda _fault, truth: truth,
}
_AS_IT_IS = {"float_noise", "base64_dress"}
"""The same answer, written otherwise."""


def _retry_after(fault: Fault) -> float | None:
    """Return the seconds that a Retry-After asks for, None without a readable one (RFC 9110: whole, or a date)."""
    said = fault.get("retry_after")
    if said is not None:
        return float(said) if float(said).is_integer() else None
    headers = {name.lower(): value for name, value in (fault.get("headers") or {}).items()}
    text = str(headers.get("retry-after", "")).strip()
    if not text or text.isdigit():
        return float(text) if text else None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.year < 2020:
        return 0.0
    raise Undecided("a date in the future is as far away as the wall clock says")


def _seconds(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise Undecided("a distribution of seconds is chance")


KNOWN = {*_WAITS, *_INSTEAD, *_CHANGES, *_FIELDS, *JOB_KINDS, *PICTURE_KINDS}
"""Every kind of fault that the model can tell."""
