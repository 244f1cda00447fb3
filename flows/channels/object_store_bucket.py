"""A bucket through obstore: what it raises names the server alone, for obstore's own errors quote whole requests.

Calls wait, each in a thread of its caller's: obstore's awaitable ones may abort a process that ends right after them,
because their answers are dropped by threads that Python does not know of.
"""

import mimetypes
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Lock
from urllib.parse import unquote, urlsplit

from obstore import delete, get, head, put
from obstore.exceptions import BaseError, InvalidPathError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from flows.channels.connections import TIME_UP, address_of
from flows.errors import FlowError
from flows.recipients import ObjectStore

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0  # for one request; what is large goes in parts
IDLE_SECONDS = 60.0  # longer than any look at what is held is away from the next
STATUS = re.compile(r"non-2xx status code: (\d{3})")
METADATA = "http://169.254.169.254/"  # who is asked for an access key where none is written
KIND = re.compile(r"kind: (Connect|Timeout)\b")


class BucketError(FlowError):
    """A store did not do what it was asked; the text is fit for everyone."""


class Buckets:
    """The buckets of one moment; folders in one bucket share its connections."""

    def __init__(self) -> None:
        self._stores: dict[ObjectStore, S3Store] = {}
        self._lock = Lock()

    def of(self, target: ObjectStore) -> "Bucket":
        """The bucket, or the folder in it, that a recipient's address names."""
        url = urlsplit(target.url)
        whole = target.model_copy(update={"url": f"s3://{url.netloc}"})
        with self._lock:
            if whole not in self._stores:
                self._stores[whole] = _store(whole)
        folder = "/".join(part for part in unquote(url.path).split("/") if part)
        return Bucket(self._stores[whole], folder, place=place_of(target))


class Bucket:
    """One bucket, or a folder in it; nothing is sent again behind our back."""

    def __init__(self, store: S3Store, folder: str, *, place: str) -> None:
        self._store, self._folder = store, folder
        self.place = place

    def put(self, name: str, content: bytes) -> None:
        """Put an object, whole or not at all; one above 5 MB goes in parts, which nobody sees before the last."""
        kind, _ = mimetypes.guess_type(name)
        with self._faults():
            put(self._store, self._path(name), content, attributes={"Content-Type": kind} if kind else None)

    def put_at_once(self, name: str, content: bytes) -> None:
        """Put a small object by one request, whatever obstore would do otherwise."""
        with self._faults():
            put(self._store, self._path(name), content, use_multipart=False)

    def get(self, name: str) -> bytes | None:
        """Get an object; None where there is none, of which one who may not list the bucket is told 403."""
        with self._faults(), suppress(FileNotFoundError, PermissionDeniedError):
            return bytes(get(self._store, self._path(name)).bytes())
        return None

    def mark(self, name: str) -> str:
        """What tells an object from any other that may take its name; empty where there is none."""
        with self._faults(), suppress(FileNotFoundError):
            found = head(self._store, self._path(name))
            return f"{found['size']} {found['e_tag']}"
        return ""

    def take_away(self, *names: str) -> bool:
        """Delete objects; whether none of them is there any more, as far as the store acknowledged it."""
        return all([self._is_gone(name) for name in names])  # noqa: C419 - each is tried

    def _is_gone(self, name: str) -> bool:
        try:
            with suppress(FileNotFoundError):
                delete(self._store, self._path(name))
        except (BaseError, OSError, ValueError):
            return False
        return True

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise BucketError(f"{self.place} has no such bucket") from None
        except (BaseError, OSError, ValueError) as error:
            raise BucketError(f"{self.place} {_why(error)}") from None

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name


def place_of(target: ObjectStore) -> str:
    """How a store is named where others read it: host and port."""
    if target.endpoint is None:
        return f"object store Amazon S3 ({target.region})"
    try:
        return f"object store {address_of(target.endpoint)}"
    except ValueError:
        return "object store"


def _store(bucket: ObjectStore) -> S3Store:
    if (bucket.access_key_id is None) != (bucket.secret_access_key is None):
        raise BucketError(f"{place_of(bucket)} needs access_key_id and secret_access_key: both, or neither")
    given = {
        "endpoint": bucket.endpoint,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": bucket.secret_access_key and bucket.secret_access_key.get_secret_value(),
    }
    try:
        return S3Store(
            urlsplit(bucket.url).netloc,
            region=bucket.region,
            client_options={
                "allow_http": (bucket.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=ANSWER_SECONDS),
                "pool_idle_timeout": timedelta(seconds=IDLE_SECONDS),
            },
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=ANSWER_SECONDS)},
            **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
        )
    except (BaseError, ValueError):
        raise BucketError(f"{place_of(bucket)} has settings that cannot be used") from None


def _why(error: Exception) -> str:
    """What went wrong, as the rest of a sentence; of the error's own words only kind and status are read."""
    says = str(error)
    if METADATA in says:
        return "needs access_key_id and secret_access_key: nothing here gives others"
    status, kind = STATUS.search(says), KIND.search(says)
    match error:
        case PermissionDeniedError() | UnauthenticatedError():
            return "does not let this access key do that"
        case InvalidPathError():
            return "has an address that cannot be understood"
    if status:
        return f"answered {status[1]}"
    if kind:
        return TIME_UP if kind[1] == "Timeout" else "cannot be reached"
    return "closed the connection, or does not speak as an object store should"
