"""When something is looked at, applied and told, with what is read under the test's control."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from graph.config import ConfigError
from graph.reloading import Intervals, RefusedError, Reloader


@dataclass
class Shop:
    """What is watched, what becomes of it, and what was told: all in one, to look at afterwards."""

    text: str = "good"
    paths: list[Path] = field(default_factory=list)
    remote: bool = False
    reads: int = 0
    applied: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def files(self) -> Sequence[Path]:
        return self.paths

    def is_remote(self) -> bool:
        return self.remote

    async def read(self) -> str:
        self.reads += 1
        if self.text == "gone":
            raise ConfigError("it is gone")
        return self.text

    async def apply(self, text: str) -> None:
        if text.startswith("bad"):
            raise RefusedError(f"{text} is bad", ("BAD",))
        if text == "bug":
            raise RuntimeError("a fault")
        self.applied.append(text)

    def accepted(self) -> None:
        self.told.append("accepted")

    def refused(self, reason: str, codes: tuple[str, ...]) -> None:
        self.told.append(f"{codes[0]}: {reason}")


def _reloader(shop: Shop, intervals: Intervals | None = None, served: str | None = "good") -> Reloader[str]:
    return Reloader(shop, served, shop.apply, shop, intervals or Intervals())


async def _read(shop: Shop, *texts: str) -> None:
    reloader = _reloader(shop)
    for shop.text in texts:
        await reloader.look()


@pytest.mark.parametrize(
    ("texts", "applied", "told"),
    [
        (["good", "good"], [], []),
        (["new", "new"], ["new"], []),
        (["bad", "bad", "bad"], [], ["BAD: bad is bad"]),
        (["bad", "bad worse"], [], ["BAD: bad is bad", "BAD: bad worse is bad"]),
        (["bad", "good"], [], ["BAD: bad is bad", "accepted"]),
        (["bad", "new"], ["new"], ["BAD: bad is bad", "accepted"]),
        (["gone", "gone", "good"], [], ["UNREADABLE: it is gone", "accepted"]),
        (["bad", "gone", "bad", "good"], [], ["BAD: bad is bad", "UNREADABLE: it is gone", "BAD: bad is bad", "accepted"]),
        (["bug", "new"], ["new"], ["INTERNAL_SERVER_ERROR: RuntimeError: a fault", "accepted"]),
        (["new", "good"], ["new", "good"], []),
    ],
)
async def test_look_when_texts_follow_each_other_then_applied_where_new_and_each_reason_told_once(
    texts: list[str], applied: list[str], told: list[str]
) -> None:
    shop = Shop()

    await _read(shop, *texts)

    assert (shop.applied, shop.told) == (applied, told)


async def test_run_when_there_is_nothing_to_watch_or_never_to_look_then_it_ends() -> None:
    async with asyncio.timeout(5):
        await _reloader(Shop()).run()
        await _reloader(Shop(remote=True), Intervals(0, 0)).run()


async def test_run_when_files_keep_their_stamps_then_they_are_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("1")
    shop = Shop(paths=[file])
    task = asyncio.create_task(_reloader(shop, Intervals(0.01, 0)).run())
    await _until_read(shop, 2)
    await asyncio.sleep(0.2)
    unchanged = shop.reads
    file.write_text("22")
    await _until_read(shop, 4)
    await asyncio.sleep(0.2)
    changed = shop.reads
    task.cancel()

    assert (unchanged, changed) == (2, 4)


async def test_run_when_urls_are_asked_then_at_their_own_interval() -> None:
    shop = Shop(remote=True)
    started = time.monotonic()
    task = asyncio.create_task(_reloader(shop, Intervals(0, 0.1)).run())
    await _until_read(shop, 4)
    took = time.monotonic() - started
    task.cancel()

    assert took >= 0.3


async def _until_read(shop: Shop, times: int) -> None:
    deadline = time.monotonic() + 10
    while shop.reads < times:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
