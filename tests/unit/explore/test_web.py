"""Who may ask the explorer: this machine by its names and numbers, and no other site's page."""

import asyncio

import pytest

from linssl.explore.web import guarded, with_first_picture


def ask(app, kind="http", path="/", query=b"", **headers):
    """Send one request; return the messages that come back."""
    sent = []

    async def send(message):
        sent.append(message)

    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "query_string": query, "headers": named}
    asyncio.run(app(scope, None, send))
    return sent


async def page(scope, receive, send):
    await send({"type": "page"})


@pytest.mark.parametrize(
    "host", ["127.0.0.1:2718", "localhost:2718", "[::1]:80", "Me.lan", "10.0.0.7"]
)
def test_its_own_names_and_any_number_are_answered(host):
    assert ask(guarded(page, "me.lan"), host=host) == [{"type": "page"}]
    assert ask(guarded(page, "me.lan"), "websocket", host=host, origin=f"http://{host}") == [
        {"type": "page"}
    ]


@pytest.mark.parametrize(
    "host", ["evil.example:2718", "localhost.evil.example", "", "[::1", "127.0.0.1.nip.io"]
)
def test_other_names_are_refused(host):
    start, body = ask(guarded(page, "127.0.0.1"), host=host)
    assert start["status"] == 403
    assert b"This server is called" in body["body"]
    (closed,) = ask(guarded(page, "127.0.0.1"), "websocket", host=host)
    assert closed == {"type": "websocket.close", "code": 1008}


def test_a_page_of_another_site_opens_no_websocket():
    asked = {"host": "localhost:2718", "origin": "http://evil.example"}
    assert ask(guarded(page, ""), "websocket", **asked)[0]["type"] == "websocket.close"


def test_the_server_starts_and_ends_as_ever():
    assert ask(guarded(page, ""), "lifespan") == [{"type": "page"}]


def test_the_first_picture_is_of_the_address():
    app = with_first_picture(page, lambda query: repr(query).encode())
    assert ask(app, path="/first.png", query=b"alpha=2&n=%31")[1]["body"] == (
        b"{'alpha': ['2'], 'n': ['1']}"
    )
    assert ask(app, path="/") == [{"type": "page"}]


async def started(scope, receive, send):
    await send({"type": "http.response.start", "headers": [(b"a", b"b")]})


def test_a_page_names_its_picture_as_what_it_needs_first():
    app = with_first_picture(started, lambda query: b"")
    (message,) = ask(app, query=b"alpha=2")
    link = b"</first.png?alpha=2>; rel=preload; as=image; fetchpriority=high"
    assert message["headers"] == [(b"a", b"b"), (b"link", link)]
    (message,) = ask(app, query=b"a=>,<evil>")
    assert message["headers"] == [(b"a", b"b")]
