"""What is remembered is bounded, and nothing but what would be worked out again."""

from __future__ import annotations

import pytest

from sealtool.verification.remembering import remembered


def test_the_same_bytes_are_worked_out_once() -> None:
    asked: list[bytes] = []

    @remembered(entries=2, longest=10)
    def length(content: bytes) -> int:
        asked.append(content)
        return len(content)

    assert [length(b"ab"), length(bytes([97, 98])), length(b"abc")] == [2, 2, 3]
    assert asked == [b"ab", b"abc"]


def test_what_is_longer_than_the_limit_is_worked_out_each_time_and_not_kept() -> None:
    asked: list[int] = []

    @remembered(entries=2, longest=4)
    def joined(one: bytes, other: bytes) -> bytes:
        asked.append(len(one + other))
        return one + other

    for _ in range(2):
        assert joined(b"ab", b"cd") == b"abcd"
        assert joined(b"ab", b"cde") == b"abcde"
    assert asked == [4, 5, 5]


def test_the_oldest_result_gives_way_to_a_new_one() -> None:
    asked: list[bytes] = []

    @remembered(entries=2, longest=4)
    def same(content: bytes) -> bytes:
        asked.append(content)
        return content

    for content in (b"a", b"b", b"c", b"a"):
        assert same(content) == content
    assert asked == [b"a", b"b", b"c", b"a"]


def test_an_error_is_raised_each_time() -> None:
    asked: list[bytes] = []

    @remembered(entries=2, longest=4)
    def fail(content: bytes) -> bytes:
        asked.append(content)
        raise ValueError(content)

    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            fail(b"bad")
    assert asked == [b"bad", b"bad"]
