"""The environment, read once into a frozen object. A bad value stops the start with its name and what it should be."""

import functools
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """Unusable settings; one line per variable: its name and what it should be."""


def _split_commas(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]
PositiveInt = Annotated[int, Field(ge=1)]
LookMinutes = Annotated[
    tuple[Annotated[int, Field(ge=1, le=30)], Annotated[int, Field(ge=1, le=120)], Annotated[int, Field(ge=1, le=480)]],
    NoDecode, BeforeValidator(_split_commas),
]


class Settings(BaseSettings):
    """Field descriptions say what a usable value is; they are what an operator reads when the start is refused."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", case_sensitive=False)

    var_dir: Path = Field(
        ROOT / "var", validation_alias="SIDELINE_VAR_DIR", description="a folder that Sideline may write"
    )
    database_url: str | None = Field(None, description="a PostgreSQL address such as postgresql://user@host/name")
    queue_url: str | None = Field(None, description="redis://… or a direct postgresql://… address")
    secret_key: str | None = Field(None, min_length=32, description="at least 32 random characters")
    encryption_keys: CommaSeparated = Field((), description="base64 keys of 32 bytes, comma-separated")
    base_url: str = Field("http://127.0.0.1:8000", description="the address of the site, http:// or https://")
    allowed_hosts: CommaSeparated = Field((), description="host names without scheme and port, comma-separated")
    trusted_proxies: CommaSeparated = Field((), description="IP addresses or networks, comma-separated")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["console", "json"] = Field("console", description="console or json")
    sentry_dsn: str | None = Field(
        None, repr=False, description="https://key@host/project; http to this machine only"
    )
    metrics_token: str | None = Field(None, repr=False, min_length=16, description="at least 16 characters")
    smtp_url: str | None = Field(None, description="smtp://user:password@host:port or smtps://…")
    job_queue_runner_secret: CommaSeparated = Field(
        (), description="one secret, or two during a rotation, comma-separated, each at least 16 characters"
    )

    game_platform_enabled: bool | None = Field(None, description="true or false")
    game_platform_base_url: str = Field(
        "https://api.metactf.com/integrations/syned/v1",
        description="an https address, or http to this machine only",
    )
    game_platform_api_token: str | None = Field(None, repr=False, description="the platform's bearer token")
    game_platform_batch_sync_enabled: bool = Field(True, description="true or false")
    game_platform_sync_batch_size: int = Field(50, ge=1, le=1000, description="a whole number from 1 to 1000")
    game_platform_prioritization_enabled: bool = Field(True, description="true or false")
    game_platform_look_minutes: LookMinutes = Field(
        (30, 120, 480), description="three rising numbers of minutes, comma-separated, at most 30,120,480"
    )
    game_platform_scores_feed_path: str | None = Field(
        None, pattern="^/", description="a path under GAME_PLATFORM_BASE_URL that starts with /"
    )
    game_platform_max_requests_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="a whole number from 1 to 1000000"
    )
    game_platform_concurrency: int = Field(8, ge=1, le=100, description="a whole number from 1 to 100")

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError
        return value

    @field_validator("queue_url")
    @classmethod
    def _is_queue(cls, value: str | None) -> str | None:
        if value and not value.startswith(("postgresql://", "postgres://", "redis://", "rediss://")):
            raise ValueError
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: str | None) -> str | None:
        address = urlsplit(value or "smtp://none")
        if address.scheme not in ("smtp", "smtps") or not address.hostname or address.port == 0:
            raise ValueError
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _is_dsn(cls, value: str | None) -> str | None:
        address = urlsplit(value or "https://key@host/1")
        is_safe = address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname or ""))
        if not (is_safe and address.hostname and address.username and address.path.strip("/")):
            raise ValueError
        return value

    @field_validator("base_url", "game_platform_base_url")
    @classmethod
    def _is_http(cls, value: str, info: ValidationInfo) -> str:
        address = urlsplit(value)
        if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
            raise ValueError
        if info.field_name != "base_url" and address.scheme == "http" and not is_loopback(address.hostname):
            raise ValueError
        return value.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:.]+", host) for host in value):
            raise ValueError
        return value

    @field_validator("game_platform_look_minutes")
    @classmethod
    def _rise(cls, value: tuple[int, int, int]) -> tuple[int, int, int]:
        if list(value) != sorted(value):
            raise ValueError
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @field_validator("job_queue_runner_secret")
    @classmethod
    def _are_secrets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 2 or any(len(secret) < 16 for secret in value):
            raise ValueError
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        import base64

        if any(len(base64.urlsafe_b64decode(key)) != 32 for key in value):
            raise ValueError
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.is_production and self.log_level == "DEBUG":
            raise ValueError("LOG_LEVEL should not be DEBUG where BASE_URL is https: debug logs are for development")
        return self

    @property
    def is_production(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        configured = self.allowed_hosts or (urlsplit(self.base_url).hostname or "", "localhost", "127.0.0.1")
        return frozenset(host.lower() for host in configured)

    @property
    def game_platform_configured(self) -> bool:
        return "game_platform_base_url" in self.model_fields_set or bool(self.game_platform_api_token)

    @property
    def any_vendor_configured(self) -> bool:
        return any(name.startswith("game_platform_") for name in self.model_fields_set)


def is_loopback(hostname: str) -> bool:
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


def load_settings() -> Settings:
    """The settings of this process's environment. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error))) from None


def _explain(error: ValidationError) -> list[str]:
    """One line per unusable variable. The value itself is left out: it may be a secret."""
    lines = []
    for problem in error.errors():
        if not problem["loc"]:
            lines.append(str(problem["msg"]).removeprefix("Value error, "))
            continue
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name.lower())
        lines.append(f"{name.upper()} should be {field.description if field else 'usable'}")
    return lines


@functools.cache
def get_settings() -> Settings:
    """The settings of this process; tests clear the cache."""
    return load_settings()
