"""Structured logs of every process: one line an event, JSON or for a person's eyes, on standard error.

The workflow id, the step and the like are bound as context variables where they are known; each line carries them.
"""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.process.telemetry import add_trace
from app.settings import Settings

_CHATTY = ("aiohttp", "azure", "httpcore", "httpx", "temporalio", "urllib3")
"""Libraries that log each request; some would log signed URLs."""

_SIGNATURE = re.compile(r"(?i)\bsig=[^&\s\"']+")


def configure_logging(settings: Settings) -> None:
    """Send every log of the process, the libraries' too, to standard error in the format that the settings say."""
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.log_format == "json"
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,  # a richer one shows local variables: keys, pictures
    )
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        hide_signatures,
        structlog.processors.JSONRenderer() if as_json else console,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)  # each failed attempt has a line of our own
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def hide_signatures(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank the signature of any SAS URL that found its way into a log line."""
    return {key: _SIGNATURE.sub("sig=***", value) if isinstance(value, str) else value for key, value in event.items()}
