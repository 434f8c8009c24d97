"""Where a request comes from, as far as it is kept: enough for people to recognise their own
devices, too little to follow anybody."""

from dataclasses import dataclass

from chassis.origin import abbreviated

#: What a User-Agent has in it, and what people call that; the first that fits counts.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
    "python-requests": "Python",
    "okhttp": "okhttp",
}
_SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class Origin:
    """`network`: "203.0.113.0/24" or "2001:db8:1::/48"; `client`: "Firefox on Linux". Both are None
    where nobody knows."""

    network: str | None = None
    client: str | None = None


#: Of what operators do, and of what nobody knows.
NOWHERE = Origin()


def origin_of(network: str | None, user_agent: str | None = None) -> Origin:
    """The origin of a request from `network`, an address or an IPv6 network."""
    return Origin(abbreviated(network), _client(user_agent or ""))


def _client(user_agent: str) -> str | None:
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    return " on ".join(filter(None, (browser, system))) or None


def _first(names: dict[str, str], user_agent: str) -> str | None:
    return next((name for part, name in names.items() if part in user_agent), None)
