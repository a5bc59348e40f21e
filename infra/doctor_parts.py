"""What `elumiti doctor` asks of Postgres, Valkey, the object store, the engine and the flusher."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import asyncpg
import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from redis.exceptions import AuthenticationError, RedisError

from infra.database import AWAY
from infra.errors import PlainError
from infra.local import ROLE_OF, decode_key
from infra.migrate import require_current
from infra.objects import open_bucket
from infra.settings import EngineSettings, FlusherSettings, ObjectStore, PortalSettings
from infra.valkey import clock_ms, connect, each_node, is_cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from infra.valkey import Node

    Db = asyncpg.Connection[asyncpg.Record]

OLDEST_POSTGRES = 170000
CLOCKS_DIFFER_S = 1.0
LAG_S = 10.0
SILENT_S = 10.0
# A ValueError is an address that cannot even be read.
POSTGRES_TROUBLE = (*AWAY, ValueError)
STORE_TROUBLE = (OSError, TimeoutError, BotoCoreError, ClientError, ValueError)
REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"}


class Finding(msgspec.Struct, frozen=True):
    """One line: what was looked at, what was found, and what to do; no remedy: it is right."""

    about: str
    text: str
    remedy: str | None

    def line(self) -> str:
        """As it is printed."""
        if self.remedy is None:
            return f"ok     {self.about:<18} {self.text}"
        return f"WRONG  {self.about:<18} {self.text}. {self.remedy}"


def is_role_of(settings: msgspec.Struct, process: str) -> bool:
    """Whether these settings sign in to Postgres as this process: one environment may be enough for several structs."""
    url = getattr(settings, "owner_database_url" if process == "owner" else "database_url", None)
    if url is None:
        # It has no role: its own variables are whole, which is all that it needs.
        return True
    return user_of(url) == f"elumiti_{ROLE_OF.get(process, process)}"


def user_of(url: str) -> str:
    """Who signs in with a URL; empty where it cannot be read."""
    try:
        return urlsplit(url).username or ""
    except ValueError:
        return ""


async def examine(processes: dict[str, msgspec.Struct]) -> AsyncIterator[Finding]:
    """Everything that these processes depend on, each part once."""
    databases: dict[str, str] = {}
    valkeys: set[str] = set()
    stores: dict[str, ObjectStore] = {}
    for settings in processes.values():
        for field in ("database_url", "owner_database_url"):
            if url := getattr(settings, field, ""):
                databases.setdefault(user_of(url), url)
        for field in ("valkey_url", "streams_url"):
            if url := getattr(settings, field, ""):
                valkeys.add(url)
        if store := getattr(settings, "objects", None):
            stores.setdefault(store.url, store)
    async for finding in _databases(databases):
        yield finding
    for url in sorted(valkeys):
        async for finding in _valkey(url):
            yield finding
    for store in stores.values():
        yield await _store(store)
    engine, flusher, portal = (processes.get(name) for name in ("engine", "flusher", "portal"))
    if isinstance(engine, EngineSettings):
        yield await _sealed_keys(engine)
    if isinstance(flusher, FlusherSettings):
        yield await _flusher(flusher)
    if isinstance(portal, PortalSettings) and (url := portal.token_check_url or portal.player_url):
        yield await asyncio.to_thread(_ready, "engine", url)
    if isinstance(engine, EngineSettings) and engine.pictures_url:
        yield await asyncio.to_thread(_ready, "pictures", engine.pictures_url)
    if isinstance(portal, PortalSettings) and portal.proctoring_internal_url:
        yield await asyncio.to_thread(_ready, "proctoring", portal.proctoring_internal_url)
    if isinstance(portal, PortalSettings):
        for url in portal.live_urls:
            yield await asyncio.to_thread(_ready, "live", url)


# ---- Postgres ----


async def _databases(urls: dict[str, str]) -> AsyncIterator[Finding]:
    looked = False
    for role, url in sorted(urls.items()):
        try:
            db = await asyncpg.connect(url, timeout=5)
        except asyncpg.InvalidAuthorizationSpecificationError:
            remedy = "Set the roles' passwords anew with `elumiti migrate`, with the same ELUMITI_ROLE_PASSWORDS."
            yield Finding(f"postgres {role.removeprefix('elumiti_')}", f"{_place(url)} refuses the password", remedy)
            continue
        except POSTGRES_TROUBLE as error:
            text = f"{_place(url)} is not reachable ({_words(error)})"
            remedy = "Start it (`elumiti up`), or mend ELUMITI_DATABASE_URL."
            if isinstance(error, asyncpg.TooManyConnectionsError):
                remedy = "Raise max_connections, or find who holds so many."
            yield Finding(f"postgres {role.removeprefix('elumiti_')}", text, remedy)
            continue
        try:
            yield Finding(f"postgres {role.removeprefix('elumiti_')}", f"signs in at {_place(url)}", None)
            if not looked:
                looked = True
                for finding in await _database(db):
                    yield finding
        except POSTGRES_TROUBLE as error:
            yield Finding("postgres", _words(error), "See Postgres' own log.")
        finally:
            await db.close()


async def _database(db: Db) -> list[Finding]:
    number = int(await db.fetchval("show server_version_num"))
    version = Finding(
        "postgres version",
        f"{number // 10000}.{number % 10000}",
        None if number >= OLDEST_POSTGRES else "Bring it to version 17 or newer.",
    )
    return [version, await _locale(db), await _clock(db), await _schema(db)]


async def _locale(db: Db) -> Finding:
    name = await db.fetchval("select datctype from pg_database where datname = current_database()")
    remedy = "Make the cluster with `initdb --locale-provider=libc --locale=C.UTF-8` and restore into it."
    try:
        trigrams = await db.fetchval("select cardinality(show_trgm('Қазақ'))")
    except asyncpg.UndefinedFunctionError:
        return Finding("postgres search", "the extension pg_trgm is missing", "Run `elumiti migrate` as its owner.")
    found = f"locale {name}, {trigrams} trigrams of «Қазақ»"
    return Finding("postgres search", found, None if trigrams else f"Half a Kazakh name finds nobody. {remedy}")


async def _clock(db: Db) -> Finding:
    before = time.time()
    theirs = float(await db.fetchval("select extract(epoch from clock_timestamp())"))
    apart = theirs - (before + time.time()) / 2
    remedy = "Let both machines follow the same time servers (chrony): no key goes out before both are past T0."
    return Finding(
        "clocks", f"Postgres' and ours are {abs(apart):.3f} s apart", remedy if abs(apart) > CLOCKS_DIFFER_S else None
    )


async def _schema(db: Db) -> Finding:
    try:
        await require_current(db)
    except PlainError as error:
        return Finding("schema", error.what.rstrip("."), error.remedy)
    return Finding("schema", "all migrations are applied", None)


async def _sealed_keys(engine: EngineSettings) -> Finding:
    """Every sealed form key opens with our release key; what comes out is dropped at once."""
    try:
        box = SealedBox(PrivateKey(decode_key(engine.release_private_key)))
    except (CryptoError, ValueError):
        return Finding("form keys", "ELUMITI_RELEASE_PRIVATE_KEY is no key", "Give 32 bytes in base64url, unpadded.")
    try:
        db = await asyncpg.connect(engine.database_url, timeout=5)
        try:
            rows = await db.fetch("select form_id, sealed from form_key order by form_id, section, language")
        finally:
            await db.close()
    except POSTGRES_TROUBLE as error:
        return Finding("form keys", f"could not be read ({_words(error)})", "See the lines about Postgres.")
    shut: set[int] = set()
    for row in rows:
        try:
            box.decrypt(row["sealed"])
        except CryptoError:
            shut.add(row["form_id"])
    if shut:
        text = f"forms {', '.join(str(form) for form in sorted(shut))} are sealed to another release key"
        return Finding("form keys", text, "Give the engine that key, or pack these forms again: `elumiti pack FORM`.")
    return Finding("form keys", f"{len(rows)} sealed, all open with the release key", None)


# ---- Valkey ----


async def _valkey(url: str) -> AsyncIterator[Finding]:
    try:
        client = connect(url, connect_s=3)
    except ValueError:
        yield Finding("valkey", "ELUMITI_VALKEY_URL is no address", "Write it as redis://:PASSWORD@HOST:PORT/0.")
        return
    try:
        nodes = await each_node(client)
    except AuthenticationError:
        remedy = "Put Valkey's own password (requirepass) into ELUMITI_VALKEY_URL."
        yield Finding("valkey", f"{_place(url)} refuses the password", remedy)
        return
    except (RedisError, OSError) as error:
        text = f"{_place(url)} is not reachable ({_words(error)})"
        yield Finding("valkey", text, "Start it (`elumiti up`), or mend ELUMITI_VALKEY_URL.")
        return
    finally:
        await client.aclose()
    for node in nodes:
        for finding in _valkey_node(node, node.name or _place(url)):
            yield finding


def _valkey_node(node: Node, place: str) -> Iterator[Finding]:
    info, settings = node.info, node.config
    text = f"{info.get('valkey_version') or info['redis_version']} at {place}"
    alone = "No replica follows it: start one, or its death takes what is not yet in Postgres and every stream on it."
    missing = node.name and info["role"] == "master" and not int(info["connected_slaves"])
    role = f", {info['role']}" if node.name else ""
    yield Finding("valkey", text + role, alone if missing else None)
    on = bool(info["aof_enabled"])
    remedy = None if on else "Set appendonly yes: without it a restart loses what is not yet in Postgres."
    yield Finding("valkey file", f"append-only file is {'on' if on else 'off'}", remedy)
    fsync = settings.get("appendfsync")
    if fsync is None:
        yield Finding("valkey fsync", "its CONFIG is closed to us; ask its keeper that appendfsync is always", None)
    else:
        told = "Set appendfsync always (everysec is survivable: players keep all until it is in Postgres)."
        yield Finding("valkey fsync", f"appendfsync {fsync}", told if fsync == "no" else None)
    policy = info["maxmemory_policy"]
    remedy = (
        None if policy == "noeviction" else "Set maxmemory-policy noeviction: another one drops acknowledged answers."
    )
    yield Finding("valkey eviction", policy, remedy)
    limit, used = int(info["maxmemory"]), int(info["used_memory"])
    remedy = None if limit else "Set maxmemory: without it the machine, and not the engine's 503, is the limit."
    if limit and used > 0.8 * limit:
        remedy = "Raise maxmemory, or see why the flusher does not keep up."
    yield Finding("valkey memory", f"{used // 2**20} of {limit // 2**20 if limit else '∞'} MB used", remedy)


async def _flusher(settings: FlusherSettings) -> Finding:
    """How long the oldest entry waits that is not in Postgres, and whether anybody tells positions."""
    about, start = "flusher", "Start it: `elumiti flush`; its log says what it waits for."
    try:
        client = connect(settings.valkey_url, connect_s=3)
    except ValueError:
        return Finding(about, "could not be asked about", "See the line about Valkey.")
    try:
        db = await asyncpg.connect(settings.database_url, timeout=5)
        try:
            rows = await db.fetch("select stream, id_ms, id_seq from stream_position where closed_at is null")
            dead = await db.fetchval("select count(*) from dead_letter")
        finally:
            await db.close()
        now_ms = await clock_ms(client, "control")
        oldest = now_ms
        for row in rows:
            after = f"({row['id_ms']}-{row['id_seq']}"
            entries: list[Any] = await client.xrange(f"s:{{{row['stream']}}}", after, "+", count=1)
            if entries and b"b" in entries[0][1]:
                oldest = min(oldest, int(entries[0][0].split(b"-")[0]))
        news: list[Any] = await client.xrevrange("control", count=1)
    except (*POSTGRES_TROUBLE, RedisError) as error:
        return Finding(about, f"could not be asked about ({_words(error)})", "See the lines about Postgres and Valkey.")
    finally:
        await client.aclose()
    lag_s = max(0.0, (now_ms - oldest) / 1000)
    silent_s = (now_ms - int(news[0][0].split(b"-")[0])) / 1000 if news else None
    if silent_s is None or silent_s > SILENT_S:
        return Finding(about, f"tells nothing{'' if silent_s is None else f' for {silent_s:.0f} s'}", start)
    if lag_s > LAG_S:
        return Finding(about, f"{lag_s:.0f} s behind", start)
    if dead:
        return Finding(
            about, f"{dead} dead letter(s)", "Read dead_letter in Postgres: each is an event that could not be stored."
        )
    return Finding(about, f"{lag_s:.0f} s behind, no dead letters", None)


# ---- object store, engine ----


async def _store(store: ObjectStore) -> Finding:
    key, body = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    place = _place(store.url)
    try:
        async with asyncio.timeout(20):
            async with open_bucket(store, "doctor") as bucket:
                await bucket.ensure()
                await bucket.put(key, body)
                whole, part, names = (
                    await bucket.get(key),
                    await bucket.get_range(key, 8, 15),
                    await bucket.keys("doctor/"),
                )
                await bucket.delete(key)
                left = await bucket.get(key)
    except STORE_TROUBLE as error:
        remedy = "Start it (`elumiti up`), or mend ELUMITI_OBJECTS (address, keys, the right to make buckets)."
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in REFUSED:
            text = f"{place} refuses our keys or their rights ({error.response['Error']['Code']})"
            return Finding("object store", text, "Mend access_key and secret_key in ELUMITI_OBJECTS.")
        return Finding("object store", f"{place} does not work ({_words(error)})", remedy)
    failed = [
        name
        for name, right in (
            ("get", whole == body),
            ("range", part == body[8:16]),
            ("list", key in names),
            ("delete", left is None),
        )
        if not right
    ]
    if failed:
        return Finding(
            "object store", f"{place} fails at {', '.join(failed)}", "Use a store that keeps to S3's plain verbs."
        )
    return Finding("object store", f"put, get, range, list, delete at {place}", None)


def _ready(name: str, url: str) -> Finding:
    """One of our own services, by what its `/ready` says."""
    address = url.rstrip("/") + "/ready"
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 (our own setting)
            body = msgspec.json.decode(answer.read(), type=dict[str, Any])
    except HTTPError as error:
        reasons = error.read().decode(errors="replace")[:300]
        return Finding(name, f"{address} says {error.code}: {reasons}", "Its reasons name the part that is missing.")
    except (OSError, ValueError, msgspec.DecodeError) as error:
        return Finding(name, f"{address} does not answer ({_words(error)})", "Start it (`elumiti up`); see its log.")
    if body["warnings"]:
        told = "; ".join(f"{part}: {text}" for part, text in body["warnings"].items())
        remedy = "It goes on with what it knows; mend the part that it names."
        return Finding(name, f"ready, and warns of {told}", remedy)
    return Finding(name, f"ready at {_place(url)}", None)


def _place(url: str) -> str:
    """Host and port, never the password."""
    try:
        split = urlsplit(url)
        # A cluster's address names several.
        return split.netloc.rpartition("@")[2] if is_cluster(url) else f"{split.hostname}:{split.port}"
    except ValueError:
        return "the address"


def _words(error: BaseException) -> str:
    """An error in one line, without a stop. What could not be read is not repeated: it may hold a password."""
    if isinstance(error, ValueError):
        return "it cannot be read as an address"
    return " ".join((str(error) or type(error).__name__).split())[:200].rstrip(".")
