"""The envelope: what it sends again, what it never does, what it makes of every kind of answer."""

import asyncio
import gzip
import logging
import ssl
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.integrations import retries
from app.integrations.http import Deadlines, ErrorKind, VendorError, VendorHttp
from tests.integrations.wire import Office, answer, envelope, envelope_to, serving


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_BACKOFF_SECONDS", 0.001)


@pytest.fixture
def office() -> Office:
    return Office()


class Script:
    """Answers one after another; the last one for ever."""

    def __init__(self, *answers: httpx.Response | Exception | type[Exception]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        next_answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(next_answer, httpx.Response):
            return next_answer
        raise next_answer


async def refusal_of(http: VendorHttp) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await http.get("/things", kind="things")
    return caught.value


async def write_refusal_of(http: VendorHttp, *, idempotent: bool = False) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await http.post("/things", kind="make", body={"email": "ada@example.org"}, idempotent=idempotent)
    return caught.value


# what is sent and what comes back


@pytest.mark.parametrize("status", [200, 201])
async def test_200_and_201_are_the_same_success(office: Office, status: int) -> None:
    script = Script(answer(status, {"a": 1}))
    assert await envelope(script, office).get("/things", kind="things", params={"q": "x y"}) == {"a": 1}
    sent = script.requests[0]
    assert str(sent.url) == "https://vendor.example/api/things?q=x+y"
    assert sent.headers["authorization"] == "Bearer a-token" and sent.headers["accept-encoding"] == "gzip"
    assert office.outcomes == [(status, "ok")] and office.kinds == ["things"] and office.successes == 1
    assert office.bytes_received == [len(b'{"a": 1}')]


@pytest.mark.parametrize("response", [answer(204, b""), answer(200, b"  ")])
async def test_an_empty_body_is_none(office: Office, response: httpx.Response) -> None:
    assert await envelope(Script(response), office).get("/things", kind="things") is None


async def test_a_gzipped_body_is_unpacked(office: Office) -> None:
    script = Script(answer(200, gzip.compress(b'{"a": [1]}'), content_encoding="gzip"))
    assert await envelope(script, office).get("/things", kind="things") == {"a": [1]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.INVALID), (401, ErrorKind.UNAUTHORIZED), (403, ErrorKind.UNAUTHORIZED),
        (404, ErrorKind.NOT_FOUND), (405, ErrorKind.INVALID), (409, ErrorKind.INVALID), (422, ErrorKind.INVALID),
        (500, ErrorKind.UNAVAILABLE), (502, ErrorKind.UNAVAILABLE), (503, ErrorKind.UNAVAILABLE),
    ],
)
async def test_each_status_has_its_kind_and_the_vendors_own_words(office: Office, status: int, kind: ErrorKind) -> None:
    error = await refusal_of(envelope(lambda _: answer(status, {"detail": "No such thing"}), office))
    assert (error.kind, error.status, error.message) == (kind, status, "No such thing")
    assert office.outcomes[0] == (status, kind)


async def test_a_list_of_problems_becomes_a_text_with_field_names(office: Office) -> None:
    detail = [
        {"loc": ["body", "role"], "msg": "Input should be 'coach' or 'user'", "type": "enum"},
        {"loc": ["body", "team", 0, "name"], "msg": "Field required", "type": "missing"},
    ]
    error = await refusal_of(envelope(Script(answer(422, {"detail": detail})), office))
    assert error.message == "role: Input should be 'coach' or 'user'; team.0.name: Field required"


async def test_an_error_message_repeats_no_personal_data_and_no_control_characters(office: Office) -> None:
    words = "Ada\r\n\x1b[31m Alder <ada@example.org> exists; cannot adapt" + "x" * 900
    http = envelope(Script(answer(409, {"detail": words})), office)
    with pytest.raises(VendorError) as caught:
        await http.post("/users", kind="make", body={}, private=("Ada", "Alder", ""))
    assert caught.value.message.startswith("… [31m … <…> exists; cannot adaptxx")
    assert len(caught.value.message) == 300


async def test_an_error_message_does_not_repeat_the_token_and_is_made_in_no_time(office: Office) -> None:
    error = await refusal_of(envelope(Script(answer(401, {"detail": "Invalid token a-token"})), office))
    assert error.message == "Invalid token …"
    started = time.monotonic()
    await refusal_of(envelope(Script(answer(400, {"detail": "x" * 900_000})), office))
    assert time.monotonic() - started < 1


# asking again


async def test_a_read_is_tried_three_times_at_most(office: Office) -> None:
    script = Script(answer(500), answer(502), answer(503), answer(200, {}))
    error = await refusal_of(envelope(script, office))
    assert error.status == 503 and len(script.requests) == 3
    assert [status for status, _ in office.outcomes] == [500, 502, 503] and len(office.failures) == 3


async def test_a_read_survives_a_reset_and_an_outage(office: Office) -> None:
    script = Script(httpx.ReadError("reset"), answer(502, b"<html>Bad gateway"), answer(200, [1]))
    assert await envelope(script, office).get("/things", kind="things") == [1]
    assert office.outcomes == [(None, "unavailable"), (502, "unavailable"), (200, "ok")]


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_what_would_only_fail_again_is_not_sent_again(office: Office, status: int) -> None:
    script = Script(answer(status, {"detail": "no"}))
    await refusal_of(envelope(script, office))
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "trouble", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), answer(502)]
)
async def test_a_write_whose_outcome_is_unknown_is_not_repeated_and_says_so(
    office: Office, trouble: httpx.Response | Exception
) -> None:
    script = Script(trouble, answer(200, {}))
    error = await write_refusal_of(envelope(script, office))
    assert error.kind is ErrorKind.UNAVAILABLE and error.ambiguous and len(script.requests) == 1


async def test_a_write_whose_answer_cannot_be_read_is_ambiguous(office: Office) -> None:
    error = await write_refusal_of(envelope(Script(answer(201, b'{"id": ')), office))
    assert error.kind is ErrorKind.BAD_SHAPE and error.ambiguous


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
async def test_a_write_that_never_left_is_sent_again(office: Office, trouble: Exception) -> None:
    script = Script(trouble, answer(201, {"id": 1}))
    assert await envelope(script, office).post("/things", kind="make", body={}) == {"id": 1}


async def test_a_write_that_was_limited_is_sent_again(office: Office) -> None:
    script = Script(answer(429, retry_after="0"), answer(201, {"id": 1}))
    assert await envelope(script, office).post("/things", kind="make", body={}) == {"id": 1}


async def test_a_write_that_may_be_repeated_is_repeated(office: Office) -> None:
    script = Script(httpx.ReadTimeout("slow"), answer(200, {"id": 1}))
    assert await envelope(script, office).post("/things", kind="make", body={}, idempotent=True) == {"id": 1}


async def test_a_refused_write_is_not_ambiguous(office: Office) -> None:
    assert not (await write_refusal_of(envelope(Script(answer(422, {"detail": "no"})), office))).ambiguous


async def test_retries_stay_within_a_fifth_of_the_calls(office: Office) -> None:
    http = envelope(lambda _: answer(500), office)
    for _ in range(100):
        await refusal_of(http)
    assert 100 < len(office.outcomes) <= 100 + 20 + 5


# waiting as long as the vendor says


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("900", 900.0), ("901", 900.0), (str(10**9), 900.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0), ("Sat, 21 Nov 2026 12:00:30 -0000", 30.0),
        ("Fri, 01 Jan 2038 00:00:00 GMT", 900.0), ("Sat, 21 Nov 2026 11:00:00 GMT", None),
        (None, None), ("", None), ("-5", None), ("soon", None), ("٣", None), ("1" * 400, None),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None), ("nan", None),
    ],
)
def test_retry_after_is_read_and_clamped(header: str | None, seconds: float | None) -> None:
    assert retries.retry_after(header, now=NOON) == seconds


async def test_retry_after_is_obeyed_when_it_fits_the_deadline(office: Office) -> None:
    script = Script(answer(429, retry_after="1"), answer(200, {}))
    started = time.monotonic()
    await envelope(script, office).get("/things", kind="things")
    assert time.monotonic() - started >= 1
    assert office.failures[0].retry_after_seconds == 1


async def test_a_longer_wait_is_handed_back_at_once(office: Office) -> None:
    date = f"{datetime.now(UTC) + timedelta(seconds=100):%a, %d %b %Y %H:%M:%S GMT}"
    for header, expected in (("30", 30), (date, 100), (str(10**9), 900)):
        script = Script(answer(429, {"detail": "Too many"}, retry_after=header))
        error = await refusal_of(envelope(script, office))
        assert error.kind is ErrorKind.RATE_LIMITED and error.retry_after_seconds == pytest.approx(expected, abs=2)
        assert len(script.requests) == 1


@pytest.mark.parametrize("header", [{}, {"retry_after": "-3"}, {"retry_after": "soon"}])
async def test_without_a_usable_retry_after_there_is_still_a_pause(office: Office, header: dict[str, str]) -> None:
    script = Script(answer(429, **header), answer(200, {}))
    started = time.monotonic()
    await envelope(script, office).get("/things", kind="things")
    assert 1 <= time.monotonic() - started < 3


async def test_an_outage_may_say_when_it_ends(office: Office) -> None:
    error = await refusal_of(envelope(Script(answer(503, {"detail": "Maintenance"}, retry_after="600")), office))
    assert (error.kind, error.retry_after_seconds) == (ErrorKind.UNAVAILABLE, 600)


# limiter and breaker


async def test_a_turn_that_comes_too_late_is_rate_limited_without_a_call(office: Office) -> None:
    office.wait_seconds = 100
    script = Script(answer(200, {}))
    error = await refusal_of(envelope(script, office))
    assert (error.kind, error.retry_after_seconds) == (ErrorKind.RATE_LIMITED, 100)
    assert not script.requests and not office.outcomes


async def test_a_call_waits_for_its_turn(office: Office) -> None:
    office.wait_seconds, office.hold_off_seconds = 0.2, 0.2
    started = time.monotonic()
    await envelope(Script(answer(200, {})), office).get("/things", kind="things")
    assert time.monotonic() - started >= 0.4


async def test_a_vendor_that_asked_for_a_long_pause_is_not_called(office: Office) -> None:
    office.hold_off_seconds = 300
    error = await refusal_of(envelope(Script(answer(200, {})), office))
    assert (error.kind, error.retry_after_seconds, office.kinds) == (ErrorKind.RATE_LIMITED, 300, [])


async def test_a_vendor_that_is_left_alone_is_not_called(office: Office) -> None:
    office.closed_off = VendorError(ErrorKind.UNAUTHORIZED, "left alone")
    script = Script(answer(200, {}))
    assert await refusal_of(envelope(script, office)) is office.closed_off
    assert not script.requests and not office.kinds


async def test_the_breaker_hears_of_outages_and_not_of_refusals(office: Office) -> None:
    http = envelope(Script(answer(404), answer(422), answer(200, b"{"), answer(401), answer(200, {})), office)
    for _ in range(4):
        await refusal_of(http)
    await http.get("/things", kind="things")
    assert office.successes == 4 and [error.kind for error in office.failures] == [ErrorKind.UNAUTHORIZED]


# bodies


async def test_a_web_page_with_200_is_an_outage(office: Office) -> None:
    page = b"\n <!doctype html><title>Just a moment</title>"
    for headers in ({"content_type": "text/html"}, {}):
        error = await refusal_of(envelope(lambda _, given=headers: answer(200, page, **given), office))  # type: ignore[misc]
        assert (error.kind, error.message) == (ErrorKind.UNAVAILABLE, "answered with a web page instead of data")


async def test_a_web_page_with_404_does_not_say_that_somebody_is_missing(office: Office) -> None:
    error = await refusal_of(envelope(lambda _: answer(404, b"<html>not found", content_type="text/html"), office))
    assert error.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize("body", [b"{", b'{"a": 1}}', b"nothing", b"[" * 5_000 + b"]" * 5_000, b'"\x00"', b"\xff\xfe{"])
async def test_broken_json_is_bad_shape(office: Office, body: bytes) -> None:
    assert (await refusal_of(envelope(Script(answer(200, body)), office))).kind is ErrorKind.BAD_SHAPE


async def test_text_that_is_not_meant_as_json_is_an_outage(office: Office) -> None:
    error = await refusal_of(envelope(lambda _: answer(200, b"OK, working on it", content_type="text/plain"), office))
    assert error.kind is ErrorKind.UNAVAILABLE


async def test_nesting_has_a_limit(office: Office) -> None:
    fine, deep = b"[" * 60 + b"]" * 60, b"[" * 70 + b"]" * 70
    await envelope(Script(answer(200, fine)), office).get("/things", kind="things")
    error = await refusal_of(envelope(Script(answer(200, deep)), office))
    assert error.kind is ErrorKind.BAD_SHAPE and "64 levels" in error.message


async def test_what_postgresql_cannot_hold_is_replaced(office: Office) -> None:
    body = rb'{"nul": "a\u0000b", "half": "\ud83d!", "whole": "\ud83d\ude00", "kept": "\\u0000", '
    body += b'"bytes": "\xff\xc3\xa9"}'
    value = await envelope(Script(answer(200, body)), office).get("/things", kind="things")
    assert value == {"nul": "a�b", "half": "�!", "whole": "😀", "kept": "\\u0000", "bytes": "�é"}


async def test_numbers_past_all_use_become_text(office: Office) -> None:
    body = b"[NaN, -Infinity, 1e999, 123456789012345678, " + b"9" * 5000 + b"]"
    value = await envelope(Script(answer(200, body)), office).get("/things", kind="things")
    assert value == ["NaN", "-Infinity", "1e999", 123456789012345678, "9" * 5000]


async def test_a_body_over_the_limit_is_refused(office: Office) -> None:
    error = await refusal_of(envelope(Script(answer(200, b'"' + b"x" * 1_000_000 + b'"')), office))
    assert (error.kind, error.message) == (ErrorKind.BAD_SHAPE, "answered with more than 1 MB")


async def test_a_gzip_bomb_is_refused_while_it_unpacks(office: Office) -> None:
    bomb = gzip.compress(b"[" + b" " * 300_000_000 + b"]", compresslevel=1)
    error = await refusal_of(envelope(Script(answer(200, bomb, content_encoding="gzip")), office))
    assert (error.kind, error.message) == (ErrorKind.BAD_SHAPE, "answered with more than 1 MB")
    assert office.bytes_received[0] < len(bomb)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
async def test_a_compression_that_was_not_asked_for_is_refused(office: Office, encoding: str) -> None:
    error = await refusal_of(envelope(Script(answer(200, b"{}", content_encoding=encoding)), office))
    assert error.kind is ErrorKind.BAD_SHAPE


async def test_a_body_that_is_not_what_its_encoding_says_is_bad_shape(office: Office) -> None:
    error = await refusal_of(envelope(Script(answer(200, b"{}", content_encoding="gzip")), office))
    assert error.kind is ErrorKind.BAD_SHAPE


async def test_an_address_that_cannot_be_sent_is_invalid_and_says_nothing_of_the_vendor(office: Office) -> None:
    http = envelope(Script(answer(200, {})), office)
    with pytest.raises(VendorError) as caught:
        await http.get("/things", kind="things", params={"q": "\ud800"})
    assert caught.value.kind is ErrorKind.INVALID
    assert not office.failures and not office.successes


# redirects and logs


@pytest.mark.parametrize(
    "location", ["http://vendor.example/api/things", "http://169.254.169.254/latest?secret=1", "/elsewhere"]
)
async def test_redirects_are_not_followed(office: Office, location: str) -> None:
    script = Script(answer(302, b"", location=location))
    error = await refusal_of(envelope(script, office))
    assert error.kind is ErrorKind.UNAVAILABLE and error.status == 302 and len(script.requests) == 1
    assert "redirects are not followed" in error.message and "secret" not in error.message


async def test_the_log_names_run_and_path_but_no_value_token_or_body(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    http = envelope(Script(answer(200, {"name": "Ada"}), answer(422, {"detail": "Alder"})), office)
    with caplog.at_level(logging.INFO):
        await http.get("/things", kind="things", params={"syned_user_id": "id-of-ada"})
        await write_refusal_of(http)
    assert "example GET /things: 200 ok in" in caplog.text and "run run-1" in caplog.text
    assert "example POST /things: 422 invalid in" in caplog.text
    assert not [word for word in ("Ada", "Alder", "id-of-ada", "a-token", "ada@example.org") if word in caplog.text]


# a real wire

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def test_a_body_that_trickles_for_ever_is_cut_at_the_deadline(office: Office) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n[")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(trickle) as address, envelope_to(address, office) as http:
        started = time.monotonic()
        error = await refusal_of(http)
    assert error.kind is ErrorKind.UNAVAILABLE and "did not finish its answer" in error.message
    assert time.monotonic() - started < 5


async def test_waiting_for_a_turn_takes_nothing_from_the_time_to_answer(office: Office) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        writer.write(HEAD + b"content-length: 2\r\n\r\n{}")

    office.wait_seconds = 0.7
    async with serving(slow) as address, envelope_to(address, office, deadlines=Deadlines(total_seconds=1)) as http:
        assert await http.get("/things", kind="things") == {}


async def test_a_server_that_says_nothing_is_left_after_the_read_timeout(office: Office) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async with serving(hang) as address, envelope_to(address, office) as http:
        error = await write_refusal_of(http)
    assert error.message == "sent nothing for 1 seconds" and error.ambiguous


async def test_a_reset_in_the_middle_of_a_body_is_an_outage(office: Office) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 100\r\n\r\n[1, ")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: close sends RST
        writer.transport.abort()

    async with serving(reset) as address, envelope_to(address, office) as http:
        assert (await write_refusal_of(http)).ambiguous
        error = await refusal_of(http)
    assert error.kind is ErrorKind.UNAVAILABLE and "broke off" in error.message
    assert len(office.outcomes) == 4


@pytest.mark.parametrize(
    ("length", "kind"), [(b"99", ErrorKind.UNAVAILABLE), (b"1", ErrorKind.BAD_SHAPE), (b"x", ErrorKind.UNAVAILABLE)]
)
async def test_a_content_length_that_lies_breaks_nothing(office: Office, length: bytes, kind: ErrorKind) -> None:
    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: " + length + b"\r\n\r\n[1, 2]")
        await writer.drain()

    async with serving(lie) as address, envelope_to(address, office) as http:
        assert (await refusal_of(http)).kind is kind


async def test_a_declared_size_over_the_limit_is_refused_before_it_is_read(office: Office) -> None:
    async def boast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 50000000\r\n\r\n[")
        await asyncio.sleep(5)

    async with serving(boast) as address, envelope_to(address, office) as http:
        started = time.monotonic()
        error = await refusal_of(http)
    assert error.kind is ErrorKind.BAD_SHAPE and time.monotonic() - started < 1


async def test_a_gzip_stream_that_stops_early_is_an_outage(office: Office) -> None:
    half = gzip.compress(b'{"a": "' + bytes(range(65, 90)) * 50 + b'"}')[:-20]

    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(half) + half)
        await writer.drain()

    async with serving(stop) as address, envelope_to(address, office) as http:
        assert (await refusal_of(http)).kind is ErrorKind.UNAVAILABLE


async def test_nobody_at_the_address_is_an_outage(office: Office) -> None:
    async with envelope_to("http://127.0.0.1:1", office) as http:
        error = await refusal_of(http)
    assert error.kind is ErrorKind.UNAVAILABLE and error.message.startswith("no connection")
    assert not error.ambiguous


async def test_a_name_that_does_not_resolve_is_an_outage(office: Office) -> None:
    async with envelope_to("http://vendor.invalid", office) as http:
        error = await refusal_of(http)
    assert error.kind is ErrorKind.UNAVAILABLE and error.message.startswith("no connection")


async def test_an_untrusted_certificate_is_refused_and_not_tried_again(office: Office, tmp_path: Path) -> None:
    async def fine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 2\r\n\r\n{}")

    async with serving(fine, tls=_own_certificate(tmp_path)) as address, envelope_to(address, office) as http:
        error = await write_refusal_of(http)
    assert error.kind is ErrorKind.UNAVAILABLE and error.message.startswith("TLS: the connection is not trusted")
    assert error.permanent and not error.ambiguous and len(office.outcomes) == 1


def _own_certificate(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    unencrypted = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    (folder / "pair.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "pair.pem")
    return context
