"""The seven steps as a user would first write them: plain blocking calls, no checks. For the comparisons alone.

They ask the same services for the same work as the pipeline does, over connections that each thread keeps: threads that
share a pool of httpx's close connections under each other now and then, and such a try-on fails.
"""

import base64
import os
import threading
import time
from functools import cache
from typing import Any

import httpx
from azure.storage.blob import ContainerClient

from scenarios.gateway_client import POINTS, STROKES

POLL_S = 2.0
"""As the specification says."""

_own = threading.local()


def _http() -> httpx.Client:
    client: httpx.Client | None = getattr(_own, "http", None)
    if client is None:
        client = _own.http = httpx.Client(timeout=180, trust_env=False)
    return client


@cache
def _container() -> ContainerClient:
    return ContainerClient(
        os.environ["AZURE_BLOB_ENDPOINT"],
        os.environ["AZURE_CONTAINER"],
        credential={
            "account_name": os.environ["AZURE_ACCOUNT_NAME"],
            "account_key": os.environ["AZURE_ACCOUNT_KEY"],
        },
        api_version="2025-11-05",
    )


def _post(variable: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = _http().post(os.environ[variable].split(",")[0] + path, json=body)
    answer.raise_for_status()
    return dict(answer.json())


def _job(variable: str, body: dict[str, Any]) -> dict[str, Any]:
    job_id = _post(variable, "/jobs", body)["job_id"]
    while True:
        time.sleep(POLL_S)
        answer = _http().get(f"{os.environ[variable]}/jobs/{job_id}")
        answer.raise_for_status()
        state = dict(answer.json())
        if state["status"] != "processing":
            return state


def read(name: str) -> bytes:
    """Return a blob."""
    return bytes(_container().download_blob(name).readall())


def stage(key: str, picture: bytes) -> None:
    """Store a posted picture, as the pipeline's gateway does before it starts a workflow."""
    _container().upload_blob(f"staging/{key}", picture, overwrite=True)


def upload(key: str, picture: bytes) -> str:
    """Store the picture and return its URI."""
    _container().upload_blob(f"{key}.jpg", picture, overwrite=True)
    return f"azure://{os.environ['AZURE_CONTAINER']}/{key}.jpg"


def resize(uri: str) -> str:
    """Return the URI of the smaller picture."""
    return str(_post("IMAGE_MANIPULATOR_URL", "/resize", {"image_uri": uri, "max_dimension": 1536})["resized_uri"])


def zoom(uri: str) -> bool:
    """Say whether the background should go."""
    return bool(_post("IMAGE_MANIPULATOR_URL", "/zoom_check", {"image_uri": uri})["recommend_bg_removal"])


def background(uri: str) -> str:
    """Return the URI of the cut-out."""
    return str(_job("BIREFNET_URL", {"image_uri": uri})["result_uri"])


def mask(uri: str) -> str:
    """Return the URI of the mask."""
    points = [[point["x"], point["y"]] for point in POINTS]
    return str(
        _job("SAM3_URL", {"image_uri": uri, "points": points, "labels": [p["label"] for p in POINTS]})["mask_uri"]
    )


def refine(uri: str, mask_uri: str) -> str:
    """Return the URI of the painted mask."""
    strokes = [dict(stroke, points=[[point["x"], point["y"]] for point in stroke["points"]]) for stroke in STROKES]
    body = {"image_uri": uri, "mask_uri": mask_uri, "strokes": strokes}
    return str(_post("A100_URLS", "/refine_mask", body)["refined_mask_uri"])


def generate(uri: str, mask_uri: str) -> dict[str, Any]:
    """Return the answer of the A100, pictures in base64."""
    return _post("A100_URLS", "/generate", {"image_uri": uri, "mask_uri": mask_uri})


def keep(key: str, answer: dict[str, Any]) -> list[str]:
    """Store the results and return their blobs' names."""
    names = []
    for field in ("result_base64", "result_gemini_base64", "fidelity_viz_base64", "fidelity_viz_gemini_base64"):
        if answer.get(field):
            names.append(f"{key}-{field}.jpg")
            _container().upload_blob(names[-1], base64.b64decode(answer[field]), overwrite=True)
    return names
