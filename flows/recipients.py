"""Who receives, and by which ways: what `[[audience]]` and `[servers]` of `zwerm.toml` may say."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from flows.model import Language, Model


class Email(Model):
    """Addresses of one recipient, reached through one of `[servers]`."""

    to: tuple[str, ...] = Field(min_length=1)
    server: str


class Webhook(Model):
    """An address that receives `release.json` at T; sealed, it has the ciphertext before and gets the key at T."""

    url: str
    secret: SecretStr | None = None
    sealed: bool = False
    idle_timeout_seconds: float | None = Field(default=None, gt=0)  # after so long its server drops a silent connection

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError(f"'{value}' is not an http:// or https:// address")
        return value


class Sftp(Model):
    """A folder on another host, by SFTP; a host whose key is not in `known_hosts` is refused."""

    url: str  # sftp://user@host:22/folder
    private_key: str | None = None  # its file; else the password
    password: SecretStr | None = None
    known_hosts: str = "~/.ssh/known_hosts"
    idle_timeout_seconds: float | None = Field(default=None, gt=0)

    @field_validator("url")
    @classmethod
    def _sftp(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme != "sftp" or not address.hostname or not address.username or address.password:
            raise ValueError(f"'{address.scheme}://…' is not like sftp://user@host:22/folder, without a password in it")
        _ = address.port  # ValueError where it is none
        return value


class ObjectStore(Model):
    """A bucket, or a folder in it, in S3 or a store that speaks like it."""

    url: str  # s3://bucket/folder
    endpoint: str | None = None  # default: Amazon's
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _s3(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme != "s3" or not address.hostname or "@" in address.netloc:
            raise ValueError(f"'{address.scheme}://…' is not an address such as s3://bucket/folder")
        return value


class Announcement(Model):
    """A chat service, by an address of Apprise: it gets a link, and no figures."""

    url: SecretStr


def _announcement(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


AnnouncementSetting = Annotated[Announcement, BeforeValidator(_announcement)]


class Recipient(Model):
    """Who receives every release, whole, at T; there is no key for a preview."""

    department: tuple[str, ...] = ()
    language: Language | None = None
    email: Email | None = None
    webhook: Webhook | None = None
    folder: str | None = None
    share: str | None = None  # a folder of a mounted share: others' servers hold it
    sftp: Sftp | None = None
    object_store: ObjectStore | None = None
    announce: tuple[AnnouncementSetting, ...] = ()
    manager: bool = False

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        ways = ("email", "webhook", "folder", "share", "sftp", "object_store", "announce")
        if not any(getattr(self, way) for way in ways):
            raise ValueError(f"a recipient needs at least one of {', '.join(ways)}")
        return self


class MailServer(Model):
    """A mail relay; `smtps://` is implicit TLS, `smtp://` requires STARTTLS unless `tls = "none"`."""

    smtp: str
    sender: str = Field(alias="from")
    user: str | None = None
    password: SecretStr | None = None
    tls: Literal["required", "none"] = "required"
    max_connections: int = Field(default=20, ge=1)
    idle_timeout_seconds: float = Field(default=180, gt=0)  # after so long it drops a connection that waits in DATA

    @field_validator("smtp")
    @classmethod
    def _smtp(cls, value: str) -> str:
        if not value.startswith(("smtp://", "smtps://")):
            raise ValueError(f"'{value}' is not an smtp:// or smtps:// address")
        return value
