"""What lies with others before T is closed to them, and its length tells little."""

import io
import secrets
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.channels.envelope import MARK, NONCE_BYTES, SMALLEST, key_of, seal, sealed_length, unpack, unseal
from flows.errors import FlowError

KEY = bytes(range(32))


@given(st.binary(max_size=20_000))
def test_what_was_sealed_comes_out_as_it_was(content: bytes) -> None:
    envelope = seal(content, KEY)
    assert unseal(envelope, KEY) == content
    assert len(envelope).bit_count() == 1
    assert len(envelope) >= SMALLEST


def test_neither_the_content_nor_its_exact_length_shows() -> None:
    figures = b'{"nps": 39.8398}' * 500
    envelope = seal(figures, KEY)
    assert b"nps" not in envelope
    assert len(envelope) == len(seal(figures[:-100], KEY)) == sealed_length(len(figures))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_same_once_more_is_the_same_envelope_and_no_two_contents_share_a_nonce(one: bytes, other: bytes) -> None:
    assert seal(one, KEY) == seal(one, KEY)
    nonces = {seal(content, key)[len(MARK) :][:NONCE_BYTES] for content in (one, other) for key in (KEY, KEY[::-1])}
    assert len(nonces) == (2 if one == other else 4)


@pytest.mark.parametrize("length", [16, 17, 30, 60, SMALLEST - 1])
def test_an_envelope_that_was_cut_off_says_so(length: int) -> None:
    with pytest.raises(FlowError, match=f"cut off: it has {length} bytes"):
        unseal(seal(b"figures", KEY)[:length], KEY)


@pytest.mark.parametrize("place", [0, 20, 40, -1])
def test_an_envelope_that_was_changed_is_not_opened(place: int) -> None:
    envelope = bytearray(seal(b"figures", KEY))
    envelope[place] ^= 1
    with pytest.raises(FlowError):
        unseal(bytes(envelope), KEY)


def test_another_key_or_half_a_key_opens_nothing() -> None:
    with pytest.raises(FlowError, match="does not open"):
        unseal(seal(b"figures", KEY), bytes(32))
    with pytest.raises(FlowError, match="32 bytes; this one has 16"):
        unseal(seal(b"figures", KEY), KEY[:16])
    with pytest.raises(FlowError, match="no sealed envelope"):
        unseal(b"PK" + MARK, KEY)


def test_each_delivery_has_a_key_of_its_own_that_another_process_finds_again() -> None:
    secret = secrets.token_bytes(32)
    assert key_of("a", secret=secret) == key_of("a", secret=secret)
    assert key_of("a", secret=secret) != key_of("b", secret=secret) != key_of("b", secret=secrets.token_bytes(32))


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/passwd", "nl/../../outside", "..\\outside", "C:/outside", "C:outside", "nl//a", "nl/\x1ba"],
)
def test_an_archive_that_reaches_outside_is_refused(name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(FlowError, match="outside"):
        unpack(packed.getvalue())


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b")])
def test_an_archive_with_two_files_in_one_place_is_refused(names: tuple[str, str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are two is what this is about
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(FlowError, match="in one place"):
        unpack(packed.getvalue())


def test_an_archive_that_is_none_says_so() -> None:
    with pytest.raises(FlowError, match="cannot be read"):
        unpack(b"PK\x03\x04 and no more")
