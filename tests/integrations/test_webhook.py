"""Where a webhook may go, and that a name which answers otherwise a moment later gains nothing."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from app.integrations import webhook
from app.integrations.webhook import Guard, WebhookFailed, WebhookRefused
from tests.receiver import receiving

LOCAL = Guard(frozenset({"http"}), lambda address: True)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "2001:db8::1", "::7f00:1",
])
def test_an_address_of_our_own_network_is_not_public(address: str) -> None:
    assert not webhook.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::6810:1", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert webhook.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", [
    "https://127.0.0.1/x", "https://localhost/x", "https://0x7f.1/x", "https://2130706433/x", "https://127.1/",
    "https://[::1]/x", "https://[::ffff:10.0.0.1]/x", "https://169.254.169.254/latest/meta-data", "http://example.org/",
    "ftp://example.org/", "https://", "https://user:secret@example.org/", "https://example.org:0/", "https://exa mple/",
    "javascript:alert(1)", "", "https://[::1", "https://example.org:99999/", "https://127.0.0.1.:80/", "//example.org",
])
async def test_an_address_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(WebhookRefused):
        await webhook.check(url)
    with pytest.raises(WebhookRefused):
        await webhook.post(url, b"{}", {})


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Each question takes the next answer; what was asked."""
    asked: list[str] = []
    waiting = list(answers)

    async def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in waiting.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    return asked


async def test_one_inner_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(WebhookRefused, match="public internet"):
        await webhook.check("https://rebinding.example/")


async def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once; the host stays in the request, and in the certificate's check."""
    seen: list[tuple[str, str, str]] = []

    async def post_to(address: Any, parts: Any, body: bytes, headers: Any) -> int:
        seen.append((str(address), parts.hostname, parts.netloc))
        return 204

    asked = resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr(webhook, "_post_to", post_to)
    await webhook.post("https://rebinding.example/x", b"{}", {})
    assert asked == ["rebinding.example"] and seen == [("8.8.8.8", "rebinding.example", "rebinding.example")]


async def test_a_receiver_gets_the_body_under_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "GUARD", LOCAL)
    async with receiving() as receiver:
        await webhook.post(receiver.url.replace("localhost", "127.0.0.1"), b'{"a": 1}', {"X-A": "b"})
        ((headers, body),) = receiver.requests
    assert headers[":line"] == "POST /hook?key=1 HTTP/1.1" and body == b'{"a": 1}'
    assert headers["host"] == f"127.0.0.1:{receiver.port}" and headers["x-a"] == "b"


async def test_a_redirect_is_not_followed_and_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "GUARD", LOCAL)
    async with receiving() as receiver:
        receiver.statuses = [302, 500]
        for status in (302, 500):
            with pytest.raises(WebhookFailed, match=f"answered {status}"):
                await webhook.post(receiver.url.replace("localhost", "127.0.0.1"), b"{}", {})
        assert len(receiver.requests) == 2
    with pytest.raises(WebhookFailed, match="not reached"):
        await webhook.post("http://127.0.0.1:1/", b"{}", {})
