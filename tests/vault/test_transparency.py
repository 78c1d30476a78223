"""The hash tree: the examples of RFC 9162, the vectors of Certificate Transparency, another library, and laws."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency

from wattkeeper.vault.transparency import (
    EMPTY,
    Frontier,
    consistency_spans,
    continues,
    folded,
    includes,
    inclusion_spans,
    leaf_hash,
    node_hash,
    root_of,
    rows_of,
    tree_root,
    widths,
)

LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots over the first 0 to 8 of the leaves, as implementations of Certificate Transparency share them."""


class Tree:
    """A tree that keeps every leaf, and looks proofs up as a store does: by rows of nodes."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels: list[list[bytes]] = [list(leaves)]
        while len(self.levels[-1]) >= 256:
            below = self.levels[-1]
            full = range(0, len(below) - len(below) % 256, 256)
            self.levels.append([root_of(below[at : at + 256]) for at in full])

    def of(self, span: tuple[int, int]) -> bytes:
        """The root of a span."""
        rows = rows_of(span)
        return folded([root_of(self.levels[r.level][r.start : r.start + r.count]) for r in rows])

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """A proof of inclusion."""
        return [self.of(span) for span in inclusion_spans(index, size)]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """A proof of consistency."""
        return [self.of(span) for span in consistency_spans(first, second)]


def some(count: int) -> list[bytes]:
    """Hashes of so many leaves."""
    return [leaf_hash(b"%d" % n) for n in range(count)]


@pytest.mark.parametrize("count", range(9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    hashes = [leaf_hash(data) for data in LEAVES[:count]]
    assert tree_root(hashes).hex() == root_of(hashes).hex() == ROOTS[count]


def test_prefixes_are_those_of_the_standard() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY
    assert leaf_hash(b"d") == hashlib.sha256(b"\x00d").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def test_proofs_are_those_of_the_example_in_rfc_9162() -> None:
    """RFC 9162, 2.1.5: seven leaves, and the names of its picture."""
    leaves = some(7)
    a, b, c, d, e, f, j = leaves
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, m = node_hash(g, h), node_hash(i, j)  # the picture calls the second l
    tree = Tree(leaves)
    assert tree.inclusion(0, 7) == [b, h, m]
    assert tree.inclusion(3, 7) == [c, g, m]
    assert tree.inclusion(4, 7) == [f, j, k]
    assert tree.inclusion(6, 7) == [i, k]
    assert tree.consistency(3, 7) == [c, d, g, m]
    assert tree.consistency(4, 7) == [m]
    assert tree.consistency(6, 7) == [i, j, k]


def test_pymerkle_agrees() -> None:
    theirs = InmemoryTree(algorithm="sha256")
    assert (theirs.leaf_prefix, theirs.node_prefix) == (b"\x00", b"\x01")
    data = [b"entry %d" % n for n in range(300)]
    for one in data:
        theirs.append_entry(one)
    hashes = [leaf_hash(one) for one in data]
    tree = Tree(hashes)
    for size in range(1, 301):
        assert theirs.get_root(size) == root_of(hashes[:size])
    for index, size in [(0, 1), (0, 300), (255, 256), (256, 257), (299, 300), (127, 211), (5, 8)]:
        proof = theirs.prove_inclusion(index + 1, size)
        assert [step for step in proof.path if step != hashes[index]] == tree.inclusion(index, size)
    for first, second in [(1, 2), (128, 256), (255, 300), (256, 300), (100, 101), (37, 299)]:
        old, new = theirs.get_root(first), theirs.get_root(second)
        verify_consistency(old, new, theirs.prove_consistency(first, second))
        assert continues(first, old, second, new, tree.consistency(first, second))


sizes = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 700]))


@settings(max_examples=150, deadline=None)
@given(size=sizes, data=st.data())
def test_a_proof_of_inclusion_holds_for_its_leaf_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = some(size)
    path, root = Tree(leaves).inclusion(index, size), root_of(leaves)
    assert includes(leaves[index], index, size, path, root)
    assert not includes(leaf_hash(b"another"), index, size, path, root)
    assert not includes(leaves[index], index, size, [*path, EMPTY], root)
    assert not includes(leaves[index], index, size, path[:-1], root) or not path
    other = data.draw(st.integers(0, size - 1))
    assert other == index or not includes(leaves[index], other, size, path, root)
    for place in range(len(path)):
        broken = [*path[:place], bytes(32), *path[place + 1 :]]
        assert not includes(leaves[index], index, size, broken, root)


@settings(max_examples=150, deadline=None)
@given(second=sizes, data=st.data())
def test_a_proof_of_consistency_holds_for_what_continues_alone(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    leaves = some(second)
    old, new = root_of(leaves[:first]), root_of(leaves)
    path = Tree(leaves).consistency(first, second)
    assert continues(first, old, second, new, path)
    assert not continues(second, new, first, old, path) or first == second
    assert not continues(first, old, second, new, [*path, EMPTY])
    if first:
        place = data.draw(st.integers(0, first - 1))
        fork = [*leaves[:place], leaf_hash(b"another"), *leaves[place + 1 :]]
        assert not continues(first, root_of(fork[:first]), second, new, path)
        assert not continues(first, old, second, root_of(fork), Tree(fork).consistency(first, second))


@settings(max_examples=60, deadline=None)
@given(count=st.one_of(st.integers(0, 30), st.sampled_from([255, 256, 257, 65536 + 300])))
def test_a_frontier_grows_to_the_same_root(count: int) -> None:
    leaves = some(count)
    frontier, made = Frontier(), []
    for leaf in leaves:
        made += frontier.add(leaf)
    assert frontier.root() == root_of(leaves)
    tree = Tree(leaves)
    assert sorted(made) == sorted((level, n, one) for level in (1, 2) for n, one in enumerate(_at(tree, level)))
    again = Frontier(count, [_at(tree, lv)[len(_at(tree, lv)) - w :] for lv, w in enumerate(widths(count))])
    assert again.root() == frontier.root()


def _at(tree: Tree, level: int) -> list[bytes]:
    """The nodes of a level, none where there is no such level."""
    return tree.levels[level] if level < len(tree.levels) else []


@pytest.mark.parametrize("call", [lambda: inclusion_spans(3, 3), lambda: consistency_spans(4, 3)])
def test_what_is_not_there_has_no_proof(call: object) -> None:
    with pytest.raises(ValueError, match="log of 3"):
        call()  # type: ignore[operator]
