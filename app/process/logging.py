"""Structured logs of every process: one line an event, JSON or for a person's eyes, on standard error.

The workflow id, the step and the like are bound as context variables where they are known; each line carries them.
"""

import logging
import re
import sys
from collections.abc import Callable

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.process.telemetry import add_trace
from app.settings import Settings

_CHATTY = ("aiohttp", "azure", "httpcore", "httpx", "temporalio", "urllib3")
"""Libraries that log each request; some would log signed URLs."""

_SIGNATURE = re.compile(r"(?i)\bsig=[^&\s\"'\\]+")
"""As in a rendered line, where a backslash begins what JSON escapes."""


def configure_logging(settings: Settings) -> None:
    """Send every log of the process, the libraries' too, to standard error in the format that the settings say."""
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = _renderer(settings)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)  # each failed attempt has a line of our own
    structlog.configure(  # our own lines do not go through `logging`, which would double their price
        processors=[*common, lambda *given: render(*given).encode(errors="backslashreplace")],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=True,
    )


def _renderer(settings: Settings) -> Callable[[WrappedLogger, str, EventDict], str]:
    """Return what makes a line of an event. The signature of any SAS URL that found its way into it is blanked."""
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,  # a richer one shows local variables: keys, pictures
    )
    last = structlog.processors.JSONRenderer() if settings.log_format == "json" else console

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = str(last(logger, method, structlog.processors.format_exc_info(logger, method, event)))
        return _SIGNATURE.sub("sig=***", line) if "sig=" in line.lower() else line

    return render
