"""Between the platform and the network: logs every call, and spoils the answers that a rule spoils."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from app.sandbox.contract import PREFIX, operation_at
from app.sandbox.faults import HTML_PAGE, TORN_JSON, Rule, poisoned
from app.sandbox.sandbox import Sandbox

Call = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
JSON_TYPE = (b"content-type", b"application/json")
MISSING_BYTES = 64


@dataclass
class Answer:
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [JSON_TYPE])
    body: bytes = b""


class Wire:
    """An ASGI app around the platform's. A call that is cut off is logged with the status None."""

    def __init__(self, app: App, sandbox: Sandbox) -> None:
        self.app = app
        self.sandbox = sandbox

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        content = await _read(receive)
        call, operation = self._log(scope, content)
        rules = self.sandbox.faults.take(operation, call["syned_user_id"])
        fault = next((rule for rule in rules if rule.kind != "latency"), None)
        call["fault"] = fault.kind if fault else "latency" if rules else None
        await asyncio.sleep(sum(rule.seconds for rule in rules if rule.kind == "latency"))
        await self._answer(fault, scope, content, send, call)

    async def _answer(self, fault: Rule | None, scope: Message, content: bytes, send: Send, call: Call) -> None:
        is_done = fault is None or fault.after_effect or fault.kind in ("malformed", "poison")
        answer = await self._ask(scope, content) if is_done else Answer(body=TORN_JSON)
        if fault and fault.kind in ("hang", "reset"):
            await asyncio.sleep(fault.seconds if fault.kind == "hang" else 0)
            await _send_torn(send, answer)
            return
        answer = _spoilt(answer, fault) if fault else answer
        call["status"] = answer.status
        await _send(send, answer)

    def _log(self, scope: Message, content: bytes) -> tuple[Call, str]:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        operation = operation_at(scope["method"], scope["path"])
        call: Call = {
            "operation": operation.name if operation else None,
            "method": scope["method"],
            "path": scope["path"],
            "syned_user_id": query.get("syned_user_id", [None])[0] or _user_in(content),
            "after_time_unix": query.get("after_time_unix", [None])[0],
            "status": None,
            "at": self.sandbox.clock(),
        }
        self.sandbox.calls.append(call)
        return call, operation.name if operation else ""

    async def _ask(self, scope: Message, content: bytes) -> Answer:
        """The platform's own answer, held back whole."""
        answer = Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer


def _spoilt(answer: Answer, fault: Rule) -> Answer:
    match fault.kind:
        case "rate_limited":
            headers = [JSON_TYPE]
            if fault.retry_after is not None:
                headers.append((b"retry-after", str(fault.retry_after).encode()))
            return Answer(429, headers, b'{"detail":"Too many requests"}')
        case "server_error":
            return Answer(fault.status or 503, body=b'{"detail":"Internal server error"}')
        case "refused":
            return Answer(fault.status or 400, body=json.dumps({"detail": fault.detail}).encode())
        case "malformed" if fault.variant == "html":
            return Answer(200, [(b"content-type", b"text/html; charset=utf-8")], HTML_PAGE)
        case "malformed":
            return Answer(answer.status, body=answer.body[: len(answer.body) // 2] or TORN_JSON)
        case "poison" if answer.status < 400:
            return Answer(answer.status, body=json.dumps(poisoned(json.loads(answer.body), fault.variant)).encode())
    return answer


async def _send(send: Send, answer: Answer) -> None:
    headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _send_torn(send: Send, answer: Answer) -> None:
    """Half of what was promised, and no end: the server closes a connection whose answer is never completed."""
    promised = str(len(answer.body) + MISSING_BYTES).encode()
    headers = [JSON_TYPE, (b"content-length", promised)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})


async def _read(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return content


def _user_in(content: bytes) -> str | None:
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        return None
    found = given.get("syned_user_id") if isinstance(given, dict) else None
    return found if isinstance(found, str) else None
