"""The software bill of materials: CycloneDX 1.6 JSON of what is installed here and of what the pages are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from wattkeeper import __version__
from wattkeeper.operations.security.packages.materials import NPM, Material, direct, pages, running

FORMAT, VERSION = "CycloneDX", "1.6"
OWN = f"pkg:pypi/wattkeeper@{__version__}"


def written(now: datetime) -> dict[str, Any]:
    """The whole document: the same for the same packages, but for its time."""
    made = [*running(), *pages()]
    refs = {(one.ecosystem, one.name): one.purl for one in made}
    asked = direct()
    own = [ref for (ecosystem, name), ref in refs.items() if ecosystem == NPM or name in asked]
    depends = [{"ref": OWN, "dependsOn": sorted(own)}]
    depends += [{"ref": one.purl, "dependsOn": sorted(_needs(one, refs))} for one in made]
    return {
        "bomFormat": FORMAT,
        "specVersion": VERSION,
        "serialNumber": _serial(" ".join(sorted(refs.values()))),
        "version": 1,
        "metadata": {
            "timestamp": now.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "application",
                "bom-ref": OWN,
                "name": "wattkeeper",
                "version": __version__,
                "licenses": [{"expression": "Apache-2.0"}],
            },
            "tools": {"components": [{"type": "application", "name": "wattkeeper sbom", "version": __version__}]},
        },
        "components": [_component(one) for one in made],
        "dependencies": depends,
    }


def _serial(told: str) -> str:
    """A UUID made of what is told (RFC 9562, version 8): the same materials have the same number."""
    drawn = hashlib.sha256(told.encode()).hexdigest()
    return f"urn:uuid:{drawn[:8]}-{drawn[8:12]}-8{drawn[13:16]}-8{drawn[17:20]}-{drawn[20:32]}"


def _needs(one: Material, refs: dict[tuple[str, str], str]) -> Iterable[str]:
    """The references of what a package needs."""
    return {refs[one.ecosystem, name] for name in one.needs if (one.ecosystem, name) in refs}


def _component(one: Material) -> dict[str, Any]:
    """A package as a component."""
    told: dict[str, Any] = {"type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version}
    told |= {"purl": one.purl, "scope": "required" if one.is_ours else "excluded"}
    if one.about:
        told["description"] = one.about
    if one.licence:
        told["licenses"] = [{"license": {"name": one.licence}}]
    if one.sha256:
        told["properties"] = [{"name": "wattkeeper:locked:sha256", "value": value} for value in one.sha256]
    if one.sha512:
        told["hashes"] = [{"alg": "SHA-512", "content": one.sha512}]
    return told
