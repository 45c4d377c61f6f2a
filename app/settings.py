"""Every environment variable of the gateway and the worker, in one class. `.env.example` documents each."""

import base64
import binascii
import ipaddress
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SHORTEST_API_KEY = 16
"""Characters: fewer can be guessed by trying."""

_INCOMPLETE = (
    "The environment is not complete. "
    ".env.example documents each variable; a copy of it as .env fits the stack of `make up`:"
)
LONGEST_S = 366 * 24 * 3600
"""Seconds that a try-on or a drain may last: a year. Temporal counts no more than ten."""

_KEY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Settings(BaseSettings):
    """What a deployment says. No address of the internet is a default; what must be said has none.

    Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, ...) are read by its SDK.
    A variable that is set to nothing, as compose files do, is as one that is not set.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, allow_inf_nan=False)

    azure_account_name: str = Field(min_length=3)
    azure_identity: bool = False
    azure_sas_token: SecretStr | None = None
    azure_account_key: SecretStr | None = Field(default=None, validate_default=True)
    azure_container: str = "jewelry-uploads"
    azure_blob_endpoint: str
    image_manipulator_url: str
    birefnet_url: str
    sam3_url: str
    a100_urls: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    a100_max_concurrent: int = Field(default=4, ge=1)
    worker_max_concurrent: int = Field(default=100, ge=1)

    task_queue: str = "tryon"
    workflow_timeout_s: float = Field(default=3600, gt=0, le=LONGEST_S)
    worker_build_id: str | None = Field(default=None, min_length=1, max_length=200)
    worker_drain_s: float = Field(default=190, ge=0, le=LONGEST_S)
    picture_slots: int = Field(default=3, ge=1)

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8000, ge=0, le=65535)
    api_keys: Annotated[tuple[tuple[str, SecretStr], ...], NoDecode] = ()
    forwarded_allow_ips: str = "127.0.0.1"
    keep_alive_s: int = Field(default=75, ge=1, le=LONGEST_S)
    start_limit_per_minute: int | None = Field(default=None, ge=1)
    max_body_mb: float = Field(default=32, gt=0)
    body_slots: int = Field(default=6, ge=1)
    result_slots: int = Field(default=12, ge=1)
    caller_share: float = Field(default=0.5, gt=0, le=1)
    start_slots: int = Field(default=3, ge=1)
    body_timeout_s: float = Field(default=30, gt=0)
    body_grace_s: float = Field(default=5, gt=0)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    loop_lag_log_s: float | None = Field(default=None, gt=0)
    log_format: Literal["json", "console"] = "json"
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    worker_alive_file: Path | None = None

    @field_validator("a100_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _named_keys(cls, value: object) -> object:
        return _read_api_keys(value) if isinstance(value, str) else value

    @field_validator("start_limit_per_minute")
    @classmethod
    def _of_somebody(cls, value: int | None, info: ValidationInfo) -> int | None:
        """Refuse a limit that every caller evades by a header, naming another address each time."""
        if value is not None and not info.data.get("api_keys") and _everybody(info.data.get("forwarded_allow_ips", "")):
            raise ValueError(
                "counts by addresses, and FORWARDED_ALLOW_IPS lets every caller name its own: "
                "name the proxies there, such as 10.0.0.0/8, or set API_KEYS"
            )
        return value

    @field_validator("azure_account_key")
    @classmethod
    def _usable_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Refuse here what could sign nothing later, when a user's photo is there already."""
        others = info.data.get("azure_sas_token"), info.data.get("azure_identity")
        ways = sum(bool(way) for way in (value, *others))
        if ways != 1:
            which = "say one of them alone" if ways else "say it, or one of the others"
            raise ValueError(f"AZURE_ACCOUNT_KEY, AZURE_SAS_TOKEN and AZURE_IDENTITY=true open the store: {which}")
        if value is None:
            return None
        try:
            base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error:
            raise ValueError("is no base64, so that nothing can be signed with it: copy the key once more") from None
        return value

    @field_validator("azure_sas_token")
    @classmethod
    def _usable_sas(cls, value: SecretStr | None) -> SecretStr | None:
        """Take a SAS as the portal shows it, with or without its question mark."""
        if value is None:
            return None
        token = value.get_secret_value().strip().removeprefix("?")
        if "sig" not in parse_qs(token):
            raise ValueError("is no SAS token: sv=...&sig=...")
        return SecretStr(token)

    @field_validator("azure_blob_endpoint")
    @classmethod
    def _safe_for_tokens(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("azure_identity") and not value.startswith("https:"):
            raise ValueError("must be an https address with AZURE_IDENTITY: a token is sent to it")
        return value

    @field_validator("azure_blob_endpoint", "image_manipulator_url", "birefnet_url", "sam3_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _http_address(value)

    @field_validator("a100_urls")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_http_address(address) for address in value)

    @property
    def opens_azure(self) -> str:
        """What opens the blob store, in words."""
        return "an identity" if self.azure_identity else "a SAS" if self.azure_sas_token else "the account's key"

    @property
    def service_urls(self) -> tuple[str, ...]:
        """The addresses of all services."""
        return (self.image_manipulator_url, self.birefnet_url, self.sam3_url, *self.a100_urls)

    @property
    def max_body_bytes(self) -> int:
        """The largest request body in bytes."""
        return int(self.max_body_mb * 1024 * 1024)


def _read_api_keys(value: str) -> tuple[tuple[str, str], ...]:
    """Read `name:key,name:key`. The messages name the place, never the key."""
    pairs = [part.strip().partition(":") for part in value.split(",") if part.strip()]
    for place, (name, _, key) in enumerate(pairs, 1):
        if not _KEY_NAME.fullmatch(name):
            raise ValueError(f"entry {place} must be NAME:KEY, its name made of letters, digits, - and _")
        if len(key) < SHORTEST_API_KEY:
            raise ValueError(f"the key of {name!r} must have at least {SHORTEST_API_KEY} characters")
    names, keys = {name for name, _, _ in pairs}, {key for _, _, key in pairs}
    if len(names) < len(pairs) or len(keys) < len(pairs):
        raise ValueError("each name and each key may be there once")
    return tuple((name, key) for name, _, key in pairs)


def _everybody(proxies: str) -> bool:
    """Say whether a list of proxies has all addresses of IPv4 or IPv6 in it, however it says so."""
    networks: dict[int, list[Any]] = {4: [], 6: []}
    for proxy in (part.strip() for part in proxies.split(",")):
        if proxy == "*":
            return True
        with suppress(ValueError):
            network = ipaddress.ip_network(proxy, strict=False)
            networks[network.version].append(network)
    return any(not one.prefixlen for several in networks.values() for one in ipaddress.collapse_addresses(several))


def _http_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets without an end, or no port that there could be
        usable = False
    if not usable:
        raise ValueError("must be an http or https address such as http://127.0.0.1:8005")
    return value.rstrip("/")


def explain(error: ValidationError) -> str:
    """Say which variables are missing or wrong, one a line, without their values: some are secrets."""
    lines = [
        f"  {'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join([_INCOMPLETE, *lines])
