"""What stands before the page: who may ask for it, and a picture while it loads."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
FIRST = "/first.png"
MOST = 4000  # characters of an address


def guarded(app: App, host: str) -> App:
    """Refuse who calls this server by a name that isn't its own, or from another site's page.

    A site can point its name at this machine, so that its pages read what is served here (DNS
    rebinding), and any page can open a websocket. Numbers as addresses can't be pointed elsewhere.

    Args:
        app: the server, of ASGI.
        host: the name it was told to listen at.
    """
    ours = {"localhost", host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        asked = headers.get(b"host", "")
        origin = headers.get(b"origin")
        there = origin is None or urlsplit(origin).netloc == asked
        if there and _is_ours(asked, ours):
            return await app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        said = f"This server is called {', '.join(sorted(ours - {''}))}, or by its number.\n"
        return await _send(send, 403, b"text/plain; charset=utf-8", said.encode())

    return answer


def _is_ours(asked: str, ours: set[str]) -> bool:
    try:
        name = (urlsplit(f"//{asked}").hostname or "").lower()
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name in ours
    return True


def with_first_picture(app: App, draw: Callable[[dict[str, list[str]]], bytes]) -> App:
    """Serve the picture of an address apart, and tell browsers to ask for it before all else.

    The page itself takes seconds: it is some hundred scripts.
    """

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            return await app(scope, receive, _announcing(send, scope["query_string"]))
        if scope["type"] != "http" or scope["path"] != FIRST:
            return await app(scope, receive, send)
        query = parse_qs(scope["query_string"][:MOST].decode("latin-1"))
        return await _send(send, 200, b"image/png", await asyncio.to_thread(draw, query))

    return answer


def _announcing(send: Any, query: bytes) -> Any:
    """Add the picture of an address to what a page says it needs."""
    if not re.fullmatch(rb"[\w.%&=+-]*", query):
        return send
    url = FIRST.encode() + (b"?" + query if query else b"")
    link = b"link", b"<" + url + b">; rel=preload; as=image; fetchpriority=high"

    async def announce(message: Scope) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), link]}
        await send(message)

    return announce


async def _send(send: Any, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
