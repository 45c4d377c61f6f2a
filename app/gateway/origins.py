"""Which pages may call the gateway, and what a browser hears about it."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
ALLOWED_ORIGINS = rf"http://localhost:[0-9]{{1,5}}|https://({LABEL}\.)+lovableproject\.com"
"""`http://localhost:*` and `https://*.lovableproject.com` (specification, CORS Configuration); matched in full."""

_PRIVATE_NETWORK = "Access-Control-Allow-Private-Network"


class Origins(CORSMiddleware):
    """Answers browsers. Origins that may call at all may call from the internet to a private network too."""

    def __init__(self, app: ASGIApp) -> None:
        """Go around this application."""
        super().__init__(
            app,
            allow_origin_regex=ALLOWED_ORIGINS,
            allow_methods=["*"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=["Retry-After"],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight; Starlette would allow the private network to an origin that it refuses."""
        response = super().preflight_response(request_headers)
        if not self.is_allowed_origin(request_headers["origin"]) and _PRIVATE_NETWORK in response.headers:
            del response.headers[_PRIVATE_NETWORK]
        return response
