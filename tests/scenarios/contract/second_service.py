"""An image manipulator by somebody else: the standard library, Pillow and the Azure SDK, nothing of this project."""

import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from PIL import Image


@contextmanager
def second_service(store: BlobServiceClient, renamed: Mapping[str, str]) -> Iterator[str]:
    """Serve it; `renamed` gives fields of its answers another name. The value is its address."""

    def resize(asked: dict[str, Any]) -> dict[str, Any]:
        container, name = asked["image_uri"].removeprefix("azure://").split("/", 1)
        image = Image.open(io.BytesIO(store.get_blob_client(container, name).download_blob().readall()))
        width, height = image.size
        image.thumbnail((asked["max_dimension"], asked["max_dimension"]))
        out = io.BytesIO()
        image.save(out, "JPEG")
        small = name.rsplit(".", 1)[0] + "-resized.jpg"
        store.get_blob_client(container, small).upload_blob(out.getvalue(), overwrite=True)
        sizes = {"original_width": width, "original_height": height}
        sizes |= {"new_width": image.width, "new_height": image.height}
        return {"resized_uri": f"azure://{container}/{small}"} | sizes

    def zoom_check(asked: dict[str, Any]) -> dict[str, Any]:
        container, name = asked["image_uri"].removeprefix("azure://").split("/", 1)
        store.get_blob_client(container, name).get_blob_properties()
        return {"recommend_bg_removal": True, "zoom_level": 0.3, "model": "always the same"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = 200
            try:
                answer = {"/resize": resize, "/zoom_check": zoom_check}[self.path](asked)
            except ResourceNotFoundError:
                status, answer = 404, {"error": "no such picture"}
            body = json.dumps({renamed.get(field, field): value for field, value in answer.items()}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
