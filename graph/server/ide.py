"""The page that a browser gets at `GET /graphql`: our own, in one file, with nothing loaded from elsewhere.

Its policy lets exactly this file's style and script run, by their hashes, and lets the page talk to this server only.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from graph.server.exchange import Reply
from graph.server.negotiation import HTML

FIRST_QUERY = """{
  viewer {
    subject
    tenant
    roles
  }
}
"""


@dataclass(frozen=True, slots=True)
class Page:
    """The page, ready to send."""

    reply: Reply


def build_page(title: str, first_query: str = FIRST_QUERY) -> Page:
    """`title` and the query that stands there at first are this server's."""
    html = files("graph.server").joinpath("ide.html").read_text(encoding="utf-8")
    html = html.replace("{{title}}", _escaped(title)).replace("{{query}}", _escaped(first_query))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(html, 'style')}",
            f"script-src {_hash(html, 'script')}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return Page(Reply(200, html.encode(), HTML, {"content-security-policy": policy}))


def _hash(html: str, element: str) -> str:
    """CSP level 3, §2.3.1: the hash of what stands between the tags."""
    found = re.search(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
    content = found[1] if found else ""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
