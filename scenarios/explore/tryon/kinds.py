"""Every kind of fault with its telling parameters, by operation: just under and just over each limit, and beside it."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from scenarios.model.calls import SHAPES
from scenarios.model.numbers import DEADLINE, END_MARGIN, HEALTH, JOB_LIMIT, POLL, RESULT_MOST, STORE_TRY
from scenarios.model.store import KNOWN, REFUSED
from scenarios.pipeline import BY_ACTIVITY, service_of

SHAPES_OF_BODIES: Mapping[type, str] = {str: "text", list: "list"}
"""What tells one body of a status from another; an object is the usual one."""


class Kind(NamedTuple):
    """A fault to put at a call: its parameters, and how many calls from that one on it acts on; 0: all of them."""

    fault: Mapping[str, Any]
    calls: int = 1

    @property
    def word(self) -> str:
        """Its kind, and what is telling in its parameters."""
        told = [str(value) for name, value in self.fault.items() if name not in {"kind", "headers", "body"}]
        past = "past" if "headers" in self.fault else SHAPES_OF_BODIES.get(type(self.fault.get("body")), "")
        more = {0: "on", 1: ""}.get(self.calls, f"x{self.calls}")
        return "-".join(part for part in (self.fault["kind"], *told, past, more) if part)

    @property
    def must_fire(self) -> bool:
        """Whether there is always something to change: padding may not be there."""
        return self.fault.get("dress") != "unpadded"


BESIDE = 0.1
"""Seconds under and over a deadline."""
PAST = {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
AT_ITS_END = int(BY_ACTIVITY["resize_image"].start_to_close_s - END_MARGIN)
"""Seconds after which to come back: when a short step's attempt has to end, if it has just begun."""
LIMITS = {
    "resize": DEADLINE["resize_image"],
    "zoom_check": DEADLINE["check_zoom"],
    "submit": JOB_LIMIT,
    "poll": POLL,
    "health": HEALTH,
    "refine_mask": DEADLINE["refine_mask"],
    "generate": DEADLINE["generate_images"],
}
WHOLE = ("picture_truncated", "picture_garbage", "picture_size", "picture_unchanged", "picture_format")
UNENDED = {"kind": "picture_truncated", "at": "end"}
LIES = ("mask_empty", "mask_full", "mask_inverted", "mask_foreign")
VALUES = ("0-1", "1-bit", "rgb", "palette", "16-bit", "16-bit-0-1", "alpha")
MASK: tuple[Mapping[str, Any], ...] = (
    *({"kind": kind} for kind in (*WHOLE, *LIES, "picture_empty", "result_named", "result_format")),
    *({"kind": "mask_values", "values": values} for values in VALUES),
    UNENDED,
)
HEAVIEST = {"kind": "picture_heavy", "size": RESULT_MOST}
"""The largest file that is read, in pieces."""
OPTIONAL = ("result_gemini_base64", "fidelity_viz_base64", "fidelity_viz_gemini_base64")
PICTURES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "image_manipulator.resize": (
        *(
            {"kind": kind}
            for kind in (*WHOLE, "picture_empty", "picture_heavy", "result_named", "result_format", "source_named")
        ),
        HEAVIEST,
        UNENDED,
    ),
    "birefnet.submit": (
        *(
            {"kind": kind}
            for kind in (
                *WHOLE,
                "picture_empty",
                "picture_heavy",
                "picture_no_alpha",
                "cutout_empty",
                "cutout_full",
                "result_named",
                "source_named",
            )
        ),
        *({"kind": "cutout_mode", "mode": mode} for mode in ("palette", "grey")),
        UNENDED,
    ),
    "sam3.submit": (*MASK, {"kind": "mask_values", "values": "1-2"}),
    "a100.refine_mask": MASK,
    "a100.generate": (
        *({"kind": kind} for kind in (*WHOLE, "base64_broken", "gemini_null")),
        UNENDED,
        *({"kind": "result_broken", "field": field} for field in OPTIONAL),
        *({"kind": "result_broken", "field": OPTIONAL[1], "how": how} for how in ("base64", "html", "bomb")),
        *({"kind": "float_noise", "by": by} for by in (1e-9, 1e-7, 0.5, 1.5)),
        *({"kind": "base64_dress", "dress": dress} for dress in ("data_url", "lines", "urlsafe", "unpadded")),
    ),
}


@cache
def kinds(operation: str) -> tuple[Kind, ...]:
    """Return what can be done to a call of an operation, as "service.operation"."""
    service, _, name = operation.partition(".")
    if service == "blob":
        return tuple(_of_the_store(name))
    base = f"{service_of(service)}.{name}"
    found = [*_of_http(name), *_of_contract(service, name), *(Kind(fault) for fault in PICTURES.get(base, ()))]
    if name == "submit":
        found += [Kind(fault) for fault in JOBS]
    if name == "poll":
        found += [Kind(fault) for fault in POLLS]
        found += [Kind({"kind": "poll_errors", "number": number, "good": good}, 0) for number, good in POLL_ERRORS]
    return tuple(found)


def _of_http(name: str) -> Iterator[Kind]:
    for status in (500, 503, 499, 429, 425, 408, 400, 404, 422, 302, 300):
        yield Kind({"kind": "status", "status": status})
    for seconds in (0, 1, 59, 61, int(JOB_LIMIT) + 1, 3600):
        yield Kind({"kind": "status", "status": 503 if seconds % 2 else 429, "retry_after": seconds})
    yield Kind({"kind": "status", "status": 503, "headers": PAST})
    yield Kind({"kind": "status", "status": 200, "body": {"hello": "world"}})
    yield Kind({"kind": "status", "status": 200, "body": []})
    for kind in (
        "hang",
        "reset",
        "answer_lost",
        "empty",
        "truncate",
        "garbage",
        "content_type",
        "refuse",
        "dns",
        "unreachable",
    ):
        yield Kind({"kind": kind})
    for limit in (LIMITS[name] - BESIDE, LIMITS[name] + BESIDE):
        yield Kind({"kind": "delay", "seconds": round(limit, 3)})
    yield Kind({"kind": "dribble", "bytes": 1_000_000, "pause": 1})
    yield Kind({"kind": "dribble", "pause": 5})
    for fault in ({"kind": "status", "status": 503}, {"kind": "garbage"}, {"kind": "refuse"}, {"kind": "hang"}):
        yield Kind(fault, 0)
    yield Kind({"kind": "status", "status": 500}, 2)
    yield Kind({"kind": "status", "status": 404}, 3)
    yield Kind({"kind": "status", "status": 404, "body": "modal-http: app for invoked web endpoint is stopped"})
    yield Kind({"kind": "status", "status": 202, "body": {}})
    yield Kind({"kind": "host_gone"})
    yield Kind({"kind": "redirect"})
    yield Kind({"kind": "redirect", "hops": 20})
    yield Kind({"kind": "redirect", "hops": 21})
    yield Kind({"kind": "redirect", "elsewhere": "http://127.0.0.2:9"})
    yield Kind({"kind": "slow_upload", "seconds": round(LIMITS[name] + BESIDE, 3)})
    yield Kind({"kind": "slow_headers", "bytes": 1_000_000, "pause": 1})
    yield Kind({"kind": "slow_headers", "bytes": 1, "pause": 5})
    for seconds in (20, 60):
        yield Kind({"kind": "cold_start", "seconds": seconds}, 0)
    yield Kind({"kind": "not_ready"})
    yield Kind({"kind": "not_ready", "retry_after": 9}, 2)


ELSEWHERE = (
    "azure://elsewhere/result.png",
    "https://example.com/result.png",
    "azure://jewelry-uploads/results/../result.png",
    "azure://jewelry-uploads/",
)
"""URIs that are no result's."""


def _of_contract(service: str, name: str) -> Iterator[Kind]:
    for field, (of, required) in SHAPES[name].items():
        if (service, field) in {("sam3", "result_uri"), ("birefnet", "mask_uri")}:
            continue
        for kind in ("missing_field", "null_field", "wrong_type"):
            yield Kind({"kind": kind, "field": field})
        if field.endswith("_uri"):
            yield from (Kind({"kind": "wrong_value", "field": field, "value": uri}) for uri in ELSEWHERE)
        if required:
            yield Kind({"kind": "wrong_type", "field": field}, 0)
        if of in {int, float, bool}:
            yield Kind({"kind": "wrong_type", "field": field, "to": "quoted"})
        if of is int:
            yield Kind({"kind": "wrong_number", "field": field, "by": 1})
            yield Kind({"kind": "wrong_number", "field": field, "by": 2})
        if of is float:
            yield Kind({"kind": "wrong_type", "field": field, "to": "nan"})
    yield Kind({"kind": "extra_field"})


JOBS: tuple[Mapping[str, Any], ...] = (
    *({"kind": "queue", "seconds": seconds} for seconds in (30, 121)),
    *({"kind": "job_slow", "seconds": seconds} for seconds in (1, 3, 118, 120, 122)),
    {"kind": "job_stuck"},
    {"kind": "job_failed"},
    *({"kind": "job_lost", "seconds": seconds} for seconds in (0, 5, 11)),
    *({"kind": "job_late", "seconds": seconds} for seconds in (3, 9, 11)),
    {"kind": "job_no_result"},
    {"kind": "job_foreign"},
    {"kind": "job_unknown_status"},
    {"kind": "job_unknown_status", "status": "queued"},
    {"kind": "job_flapping", "period": 2},
    {"kind": "job_flapping", "period": 2, "status": "processing"},
)
POLLS: tuple[Mapping[str, Any], ...] = (
    {"kind": "queue", "seconds": 5},
    {"kind": "job_stuck"},
    {"kind": "job_failed"},
    {"kind": "job_lost"},
    {"kind": "job_no_result"},
    {"kind": "job_foreign"},
    {"kind": "job_unknown_status"},
)


POLL_ERRORS = ((1, 0), (3, 0), (3, 1))


def _of_the_store(name: str) -> Iterator[Kind]:
    for status in sorted({404, *REFUSED, *KNOWN}):
        yield Kind({"kind": "status", "status": status})
    for seconds in (0, 6, AT_ITS_END, 61):
        yield Kind({"kind": "status", "status": 503, "retry_after": seconds})
    for kind in ("container_being_deleted", "container_missing", "key_not_permitted", "clock_skew"):
        yield Kind({"kind": kind})
    yield Kind({"kind": "container_being_deleted"}, 6)
    yield Kind({"kind": "slow_upload", "seconds": STORE_TRY + BESIDE})
    for kind in ("reset", "empty", "answer_lost"):
        yield Kind({"kind": kind})
        yield Kind({"kind": kind}, 2)
    yield Kind({"kind": "refuse"})
    yield Kind({"kind": "dns"})
    yield Kind({"kind": "unreachable"})
    yield Kind({"kind": "hang"})
    for limit in (STORE_TRY, DEADLINE["upload_to_azure"]):
        for late in (limit - BESIDE, limit + BESIDE):
            yield Kind({"kind": "delay", "seconds": round(late, 3)})
    if name == "get":
        yield Kind({"kind": "status", "status": 200, "body": {"log": "in"}})
        yield Kind({"kind": "truncate"})
        yield Kind({"kind": "truncate"}, 3)
        yield Kind({"kind": "dribble", "pause": 5})
        for size in (0, 2**26):
            yield Kind({"kind": "blob_size", "bytes": size})
            yield Kind({"kind": "blob_size", "bytes": size}, 2)
            yield Kind({"kind": "blob_size", "bytes": size}, 0)
    yield Kind({"kind": "status", "status": 503}, 0)
    yield Kind({"kind": "refuse"}, 0)
    yield Kind({"kind": "status", "status": 500}, 4)
