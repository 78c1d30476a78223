"""Proxies before our doors: whom they may say that a request came from, and when they are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from wattkeeper.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HEADERS = ("x-forwarded-for", "forwarded")
MOST = 4096
"""Characters of a header that are looked at, from its end: what proxies add, they add there."""


class Proxies:
    """The proxies that are believed; nobody else's word counts, and of the two headers only the one that is set.

    A proxy passes on a header that it does not write itself, so believing both would believe whoever connects.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError where the settings name no addresses, or a header that is not known."""
        self.header = settings.proxy_header.lower()
        if self.header not in HEADERS:
            raise ValueError(f"WATTKEEPER_PROXY_HEADER must be one of: {', '.join(HEADERS)}.")
        try:
            listed = [one.strip() for one in settings.trusted_proxies.split(",") if one.strip()]
            self._trusted: list[Network] = [ipaddress.ip_network(one, strict=False) for one in listed]
        except ValueError:
            raise ValueError("WATTKEEPER_TRUSTED_PROXIES must be addresses or networks, such as 10.0.0.0/8.") from None

    def trusts(self, address: str) -> bool:
        """Whether this address is a proxy's that is believed."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(plain in network for network in self._trusted)

    def origin(self, peer: str, told: Sequence[str]) -> str:
        """Where a request came from: ``peer``, or what the proxies say, ``told`` the header's values in order.

        Read from the end, for each proxy adds whom it heard: the first that is no proxy of ours is who asks.
        """
        asking = peer
        for part in reversed(",".join(told)[-MOST:].split(",")):
            if not self.trusts(asking):
                break
            named = _address(part if self.header == "x-forwarded-for" else _for(part))
            if not named:
                break
            asking = named
        return asking


def _for(element: str) -> str:
    """The ``for`` of one element of a Forwarded header (RFC 7239 4)."""
    pairs = (pair.strip().partition("=") for pair in element.split(";"))
    return next((value.strip().strip('"') for name, _, value in pairs if name.strip().lower() == "for"), "")


def _address(text: str) -> str:
    """The address in a node's name, without its port and brackets; empty where it is hidden or none."""
    node = text.strip()
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    try:
        return str(ipaddress.ip_address(node))
    except ValueError:
        return ""
