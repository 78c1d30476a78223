"""H10: what we are made of is pinned by hash, named on a reviewed list, told in a bill of materials, and its known
holes make the checks fail."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.test_command_line import run
from wattkeeper.operations.security.finding import Severity
from wattkeeper.operations.security.packages import advisories, packages, sbom
from wattkeeper.operations.security.packages.materials import NPM, PYPI, Material, direct, installed, pages, running

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "requirements"
LOCKS = sorted(LISTS.glob("*.txt"))
JAVASCRIPT = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
)
SILENT = {"cedarpy", "htmx-ext-sse"}
"""Packages whose metadata say nothing of a licence; their sources do (Apache-2.0, BSD)."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@pytest.fixture
def engine() -> str:
    """Not about the store."""
    return "sqlite"


# --- locks ----------------------------------------------------------------------------------------------


def requirements(lock: Path) -> Iterator[tuple[str, str]]:
    """Each requirement of a lock with all that belongs to it, as one line."""
    joined = re.sub(r"\\\n\s*", " ", lock.read_text())
    for line in joined.splitlines():
        bare = line.partition(" #")[0].strip()
        if bare and not line.lstrip().startswith("#"):
            yield bare.partition("==")[0], bare


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_h10_every_python_package_is_pinned_to_one_version_by_hash(lock: Path) -> None:
    found = list(requirements(lock))
    assert found
    for name, line in found:
        assert re.match(r"^[A-Za-z0-9._-]+==[^\s*]+ ", line), f"{name} is not pinned to one version"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), f"{name} is not pinned by a hash"
        assert "md5" not in line and "sha1:" not in line
        assert "://" not in line and " @ " not in line and not line.startswith("-"), f"{name} comes from elsewhere"


def test_h10_nothing_is_installed_but_by_hash() -> None:
    installer = (LISTS / "install.py").read_text()
    assert installer.count('install("--require-hashes", *locks)') == 1
    assert 'install("--no-deps", "--no-build-isolation", "-e"' in installer, "ourselves, and nothing with us"
    made = (ROOT / "Makefile").read_text()
    for line in made.splitlines():
        if "pip install" in line:
            assert "--require-hashes" in line, line
    for name in ("index-url", "trusted-host", "find-links", "extra-index"):
        assert name not in made + installer, "where packages come from is the machine's to say"


@pytest.mark.parametrize("lock", JAVASCRIPT, ids=lambda path: path.parent.name)
def test_h10_every_javascript_package_is_pinned_by_hash_and_names_no_address(lock: Path) -> None:
    listed: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    assert len(listed) > 1
    for place, one in listed.items():
        if place:
            assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", one["integrity"]), place
            assert "resolved" not in one, place
            assert re.fullmatch(r"\d+\.\d+\.\d+\S*", one["version"]), place


def wheel(folder: Path, name: str) -> Path:
    """A package as somebody else may have made it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{name}.py", "HERE = True\n")
        made.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        made.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def install(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Install as `make` does, from a folder alone."""
    (folder / "lock.txt").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-index", "--find-links", str(folder), "--target", str(folder / "there"), "-r", "lock.txt"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_h10_a_package_that_is_not_the_one_that_was_locked_is_not_installed(tmp_path: Path) -> None:
    right = hashlib.sha256(wheel(tmp_path, "harmless").read_bytes()).hexdigest()
    refused = install(tmp_path, f"harmless==1.0 --hash=sha256:{'0' * 64}")
    assert refused.returncode != 0 and "DO NOT MATCH THE HASHES" in refused.stderr
    unhashed = install(tmp_path, "harmless==1.0")
    assert unhashed.returncode != 0 and "Hashes are required" in unhashed.stderr
    assert not (tmp_path / "there" / "harmless.py").exists()
    assert install(tmp_path, f"harmless==1.0 --hash=sha256:{right}").returncode == 0, "the control"
    assert (tmp_path / "there" / "harmless.py").exists()


# --- names ----------------------------------------------------------------------------------------------


def asked_for() -> set[str]:
    """What we ask for by our own choice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = [line for path in LISTS.glob("*.in") for line in path.read_text().splitlines()]
    wanted = [line for line in (*project, *lines) if line and not line.startswith(("#", "-"))]
    names = {found[0] for line in wanted if (found := NAME.match(line))}
    for lock in JAVASCRIPT:
        told = json.loads((lock.parent / "package.json").read_text())
        names |= {*told.get("dependencies", ()), *told.get("devDependencies", ())}
    return names


def test_h10_every_name_that_we_ask_for_was_reviewed() -> None:
    """A package whose name only looks like another's is on no list that a person has read."""
    lines = (LISTS / "reviewed.list").read_text().splitlines()
    reviewed = {line.partition("  #")[0] for line in lines if line and not line.startswith("#")}
    assert all("  # " in line for line in lines if line and not line.startswith("#")), "each says what it is for"
    assert asked_for() == reviewed


def near(one: str, other: str) -> bool:
    """Whether two names differ by one sign, put in, left out or changed, or by two that are swapped."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) == len(other):
        apart = [at for at in range(len(one)) if one[at] != other[at]]
        swapped = len(apart) == 2 and one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]]
        return len(apart) == 1 or swapped
    short, long = sorted((one, other), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def test_h10_nothing_that_is_locked_looks_like_something_that_was_reviewed() -> None:
    assert near("requests", "reqeusts") and near("httpx", "htpx") and not near("httpx", "httpx")
    names = {name.lower() for lock in LOCKS for name, _ in requirements(lock)}
    twins = {(one, other) for one in names for other in asked_for() if near(one, other)}
    assert twins == set(), "look at who makes it"


# --- known holes ----------------------------------------------------------------------------------------


def record(name: str = "jinja2", ecosystem: str = PYPI, **given: Any) -> dict[str, Any]:
    """An advisory: every version before 999 has a hole."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]}
    affected = {"package": {"name": name, "ecosystem": ecosystem}, "ranges": [span]}
    usual: dict[str, Any] = {"id": "GHSA-test", "affected": [affected], "database_specific": {"severity": "HIGH"}}
    return usual | given


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    """An advisory about one range."""
    affected = {"package": {"name": "Some.Thing", "ecosystem": PYPI}, "ranges": [{"type": kind, "events": [*events]}]}
    return {"id": "GHSA-x", "affected": [affected]}


RANGES: list[tuple[str, dict[str, Any], str | None]] = [
    ("1.5", ranged({"introduced": "0"}, {"fixed": "2.0"}), "2.0"),
    ("2.0", ranged({"introduced": "0"}, {"fixed": "2.0"}), None),
    ("2.0rc1", ranged({"introduced": "0"}, {"fixed": "2.0"}), "2.0"),
    ("2.0.post1", ranged({"introduced": "0"}, {"fixed": "2.0"}), None),
    ("1.10", ranged({"introduced": "1.9"}, {"fixed": "1.11"}), "1.11"),
    ("1.2", ranged({"introduced": "1.9"}, {"fixed": "1.11"}), None),
    ("3.1", ranged({"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"fixed": "3.2"}), "3.2"),
    ("2.5", ranged({"fixed": "3.2"}, {"introduced": "3.0"}, {"introduced": "0"}, {"fixed": "2.0"}), None),
    ("2.0", ranged({"introduced": "0"}, {"last_affected": "2.0"}), ""),
    ("2.1", ranged({"introduced": "0"}, {"last_affected": "2.0"}), None),
    ("9", ranged({"introduced": "0"}), ""),
    ("1.0", ranged({"introduced": "0"}, {"fixed": "2.0"}, kind="GIT"), None),
    (
        "1.0",
        {"id": "PYSEC-1", "affected": [{"package": {"name": "some-thing", "ecosystem": PYPI}, "versions": ["1.0"]}]},
        "",
    ),
    ("1.0", ranged({"introduced": "0"}) | {"withdrawn": "2026-01-01T00:00:00Z"}, None),
    ("1.0", ranged({"introduced": "what is this?"}), ""),
]


@pytest.mark.parametrize(("version", "told", "fixed"), RANGES)
def test_h10_advisories_are_read_as_osv_means_them(version: str, told: dict[str, Any], fixed: str | None) -> None:
    found = advisories.holes([Material(PYPI, "some-thing", version)], [told])
    assert [one.fixed for one in found] == ([] if fixed is None else [fixed])


def test_h10_a_package_is_one_finding_with_all_its_holes() -> None:
    some = [record(id="GHSA-2"), record(id="GHSA-1", database_specific={"severity": "LOW"}), record("nothing")]
    (hole,) = advisories.holes(installed(), some)
    assert (hole.package.name, hole.ids, hole.severity, hole.fixed) == (
        "jinja2",
        ("GHSA-1", "GHSA-2"),
        Severity.HIGH,
        "999.0",
    )
    (finding,) = packages.judge([hole])
    assert finding.figures["advisories"] == "GHSA-1, GHSA-2"
    assert advisories.holes(installed(), [record(id="MAL-1", database_specific={})])[0].severity is Severity.HIGH
    assert advisories.holes(pages(), [record("htmx.org", NPM)])[0].package.ecosystem == NPM
    assert advisories.holes(installed(), [record("htmx.org", NPM)]) == []


def in_forms(folder: Path, told: dict[str, Any]) -> Iterator[Path]:
    """The same advisory in each form of a file."""
    forms = {"one.json": told, "list.json": [told], "api.json": {"vulns": [told]}}
    for name, form in forms.items():
        (folder / name).write_text(json.dumps(form))
        yield folder / name
    (folder / "lines.jsonl").write_text(f"{json.dumps(told)}\n\n{json.dumps(record('nothing'))}\n")
    yield folder / "lines.jsonl"
    with zipfile.ZipFile(folder / "all.zip", "w") as made:
        made.writestr("GHSA-test.json", json.dumps(told))
        made.writestr("readme.txt", "nothing")
    yield folder / "all.zip"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "GHSA-test.json").write_text(json.dumps(told))
    yield folder / "deep"


async def test_h10_a_known_hole_makes_the_check_fail_whatever_form_it_comes_in(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for path in in_forms(tmp_path / "files", record()):
        assert len(advisories.holes(installed(), advisories.records_of(path))) == 1, path
    status, told, _ = await run(tmp_path, "audit", "packages", "--advisories", str(tmp_path / "files" / "all.zip"))
    assert status == 1
    assert "jinja2" in told and "GHSA-test" in told and "999.0" in told and "1 with known holes" in told
    (tmp_path / "none.json").write_text(json.dumps(record("nobody-has-this")))
    status, told, _ = await run(tmp_path, "audit", "packages", "--advisories", str(tmp_path / "none.json"))
    assert (status, "0 with known holes" in told) == (0, True)
    made = (ROOT / "Makefile").read_text()
    assert 'wattkeeper audit packages --advisories "$(ADVISORIES)"' in made.partition("check:")[2].partition("\n\n")[0]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "<html>", "null", '{"vulns": 7}', '{"no": "id"}'])
async def test_h10_a_file_that_holds_no_advisories_is_no_clean_bill(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    status, told, complained = await run(tmp_path, "audit", "packages", "--advisories", str(tmp_path / "a.json"))
    assert (status, told) == (1, "")
    assert "holds no advisories" in complained


async def test_h10_without_advisories_it_says_so_and_asks_nobody(tmp_path: Path) -> None:
    status, told, complained = await run(tmp_path, "audit", "packages")
    assert (status, told) == (1, "")
    assert "No dependency was held against known holes" in complained
    (tmp_path / "empty").mkdir()
    status, _, complained = await run(tmp_path, "audit", "packages", "--advisories", str(tmp_path / "nowhere.json"))
    assert status == 1 and "nowhere.json" in complained


# --- the bill of materials ------------------------------------------------------------------------------


def test_h10_the_bill_of_materials_names_everything_that_runs() -> None:
    told = sbom.written(datetime(2026, 5, 1, tzinfo=UTC))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["serialNumber"])
    names = {one["name"] for one in told["components"]}
    asked = [line for line in distribution("wattkeeper").requires or () if "win32" not in line]
    assert {found[0] for line in asked if (found := NAME.match(line))} <= names
    assert {"htmx.org", "uplot", "esbuild", "pydantic-core"} <= names
    assert not {"pytest", "ruff", "mypy", "playwright"} & names, "what only tests need is not in it"
    refs = [one["bom-ref"] for one in told["components"]]
    assert len(refs) == len(set(refs))
    for edge in told["dependencies"]:
        assert set(edge["dependsOn"]) <= set(refs) and edge["ref"] in {*refs, told["metadata"]["component"]["bom-ref"]}
    own = next(edge for edge in told["dependencies"] if edge["ref"].startswith("pkg:pypi/wattkeeper@"))
    assert len(own["dependsOn"]) > 25
    assert told["serialNumber"] == sbom.written(datetime(2027, 1, 1, tzinfo=UTC))["serialNumber"]


def test_h10_each_component_has_version_licence_and_the_hashes_of_its_lock() -> None:
    told = {one["name"]: one for one in sbom.written(datetime(2026, 5, 1, tzinfo=UTC))["components"]}
    unlicensed = {name for name, one in told.items() if not one.get("licenses")}
    assert unlicensed <= SILENT, "somebody must look at what these may be used for"
    lock = json.loads((ROOT / "src" / "wattkeeper" / "web" / "assets" / "package-lock.json").read_text())["packages"]
    integrity = lock["node_modules/htmx.org"]["integrity"].partition("-")[2]
    assert told["htmx.org"]["hashes"] == [{"alg": "SHA-512", "content": base64.b64decode(integrity).hex()}]
    assert told["@fontsource/ibm-plex-sans"]["purl"].startswith("pkg:npm/%40fontsource/ibm-plex-sans@")
    assert told["esbuild"]["scope"] == "excluded", "it builds the pages and is not in them"
    for one in running():
        hashes = {entry["value"] for entry in told[one.name].get("properties", ())}
        assert hashes == set(one.sha256) != set(), one.name
    assert "jinja2" in direct()


async def test_h10_the_bill_of_materials_is_written_by_a_command(tmp_path: Path) -> None:
    status, told, _ = await run(tmp_path, "sbom", "-o", str(tmp_path / "bom.json"))
    assert status == 0 and "packages written to" in told
    written = json.loads((tmp_path / "bom.json").read_text())
    status, printed, _ = await run(tmp_path, "sbom")
    assert json.loads(printed)["components"] == written["components"]
    status, _, complained = await run(tmp_path, "sbom", "-o", str(tmp_path / "no" / "where.json"))
    assert status == 1 and "could not be written" in complained
