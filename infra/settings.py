"""Settings of every process: read from the environment, one struct a process, each with its own secrets only (SAFETY D5).

A field `token_keys` is read from `ELUMITI_TOKEN_KEYS`. Outside of `elumiti up`, commands on a one-machine
installation find the same values in its home folder (see `infra.local`), so `elumiti score 3` just works there.
`docs/operations/settings.md` explains each field; a law test holds the two together.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from infra.callers import networks

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "ELUMITI_"
# Fields that hold addresses and networks: a slip in one must not open or close a door in silence.
NETWORKS = frozenset({"trusted_proxies", "metrics_from"})
S = TypeVar("S", bound=msgspec.Struct)


class Doc(msgspec.Struct, frozen=True):
    """What a setting is for, in one line, beside its type."""

    text: str


class ObjectStore(msgspec.Struct, frozen=True, kw_only=True):
    """Where an S3 object store is and who we are there."""

    url: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"


class OwnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti migrate`: the owner of the schema."""

    owner_database_url: Annotated[str, Doc("Postgres as the schema's owner; used by migrations only")]
    role_passwords: Annotated[dict[str, str], Doc("Password of each login role, given by migrate")]


class PackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti pack`: makes bundles. Holds the public half of the release key only (SAFETY D3)."""

    database_url: Annotated[str, Doc("Postgres as elumiti_portal")]
    objects: Annotated[ObjectStore, Doc("Object store")]
    bundle_bucket: Annotated[str, Doc("Bucket of the bundles")] = "bundles"
    release_public_key: Annotated[str, Doc("base64url X25519 public key that form keys are sealed to")]


class RestoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti restored`: after Postgres came back from a backup."""

    owner_database_url: Annotated[str, Doc("Postgres as the schema's owner; used by migrations only")]
    valkey_url: Annotated[str, Doc("Valkey that holds the streams")]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The engine: tokens, codes and the release of keys."""

    database_url: Annotated[str, Doc("Postgres as elumiti_engine")]
    valkey_url: Annotated[str, Doc("Valkey that holds the streams: redis://… or valkey-cluster://…")]
    objects: Annotated[ObjectStore, Doc("Object store")]
    bundle_bucket: Annotated[str, Doc("Bucket of the bundles")] = "bundles"
    token_keys: Annotated[dict[str, str], Doc("key number → base64url key; the highest signs, all verify")]
    signs_with: Annotated[int, Doc("Number of the token key that signs while keys are changed; 0: the highest")] = 0
    time_key: Annotated[str, Doc("base64url key that signs server times")]
    other_time_key: Annotated[str, Doc("The time key before or to come, whose signatures hold too; empty: none")] = ""
    order_key: Annotated[str, Doc("base64url key from which each attempt's order of items is drawn")]
    code_pepper: Annotated[str, Doc("base64url key of the keyed hash of sign-in codes")]
    other_code_pepper: Annotated[str, Doc("The pepper before or to come, whose slips open too; empty: none")] = ""
    release_private_key: Annotated[str, Doc("base64url X25519 key that opens form keys at T0; in no backup")]
    rescue_public_key: Annotated[str, Doc("base64url X25519 key that rescue files are encrypted to")]
    snapshot_dir: Annotated[str, Doc("Folder of the engine's snapshot of codes and forms")]
    player_dir: Annotated[str, Doc("Folder of the built player")] = ""
    refresh_every_s: Annotated[float, Doc("How often codes and sittings are followed in Postgres, in seconds")] = 2.0
    next_save_s: Annotated[int, Doc("Rhythm of saves that players are told, in seconds")] = 30
    save_room: Annotated[int, Doc("How many events a player may send again with one save")] = 20
    body_limit_s: Annotated[float, Doc("How long a request's body may be on its way before 408, in seconds")] = 30.0
    pending_bytes: Annotated[int, Doc("Bytes that may wait for the stream in one worker before 503")] = 32 * 2**20
    stream_memory_share: Annotated[float, Doc("Share of Valkey's maxmemory at which saves get 503")] = 0.85
    trusted_proxies: Annotated[list[str], Doc("Addresses or networks whose X-Forwarded-For is believed")] = []
    metrics_from: Annotated[
        list[str], Doc("Addresses or networks that may read /metrics; for others it is not there")
    ] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])
    sign_ins_per_address: Annotated[int, Doc("Sign-ins a minute from one address, in each worker")] = 5000
    unknown_codes_per_address: Annotated[int, Doc("Codes nobody has, a minute from one address, in each worker")] = 300
    saves_a_minute: Annotated[
        int, msgspec.Meta(ge=1), Doc("Saves and hand-ins a minute of one device, in each worker")
    ] = 120
    re_entries_a_minute: Annotated[int, Doc("Of one device, /v1/resume and /v1/have each; thrice that an attempt")] = 2
    refusal_rest_s: Annotated[
        float, Doc("Seconds, up to half more, that a pupil beyond his bounds waits for hearing so")
    ] = 5.0
    picture_token_keys: Annotated[dict[str, str], Doc("key number → base64url key of tokens for pictures")]
    pictures_url: Annotated[str, Doc("Public address that pictures are sent to; empty: nothing is proctored")] = ""
    live_urls: Annotated[list[str], Doc("Public addresses of the live view's forwarders; empty: there is none")] = []
    demo: Annotated[bool, Doc("Heed the demo's clock of a sitting; never on a real installation")] = False


class ReleaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti room-codes`: opens the rooms' codes at T0. The only process beside the engines with the release key."""

    database_url: Annotated[str, Doc("Postgres as elumiti_release")]
    release_private_key: Annotated[str, Doc("base64url X25519 key that opens form keys at T0; in no backup")]
    demo: Annotated[bool, Doc("Heed the demo's clock of a sitting; never on a real installation")] = False


class FlusherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The flusher: streams into Postgres, seals, relays controls."""

    database_url: Annotated[str, Doc("Postgres as elumiti_flusher")]
    valkey_url: Annotated[str, Doc("Valkey that holds the streams: redis://… or valkey-cluster://…")]
    receipt_key: Annotated[str, Doc("base64url key that receipt codes are made with")]
    flush_every_ms: Annotated[int, Doc("Pause between two rounds when streams are quiet, in milliseconds")] = 150
    flush_events: Annotated[int, Doc("Stream entries read in one round at the most")] = 400
    keep_entries: Annotated[int, Doc("Durable entries that stay in a stream as a margin")] = 2000
    pulse_every_s: Annotated[int, Doc("How often the live view's figures are written, in seconds")] = 10
    metrics_host: Annotated[str, Doc("Where /health, /ready and /metrics of the flusher listen")] = "127.0.0.1"
    metrics_port: Annotated[int, Doc("Port of /health, /ready and /metrics; 0: they are not there")] = 0
    metrics_from: Annotated[
        list[str], Doc("Addresses or networks that may read /metrics; for others it is not there")
    ] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The portal and its jobs. No token key, no form key, no answer key."""

    database_url: Annotated[str, Doc("Postgres as elumiti_portal")]
    valkey_url: Annotated[str, Doc("Valkey of the job queue; one server, for the queue knows no cluster")]
    streams_url: Annotated[str, Doc("Valkey that holds the streams, where it is another one than the job queue's")] = ""
    objects: Annotated[ObjectStore, Doc("Object store")]
    score_bucket: Annotated[str, Doc("Bucket of scoring runs")] = "scores"
    code_pepper: Annotated[str, Doc("base64url key of the keyed hash of sign-in codes")]
    receipt_key: Annotated[str, Doc("base64url key that receipt codes are checked with")]
    csrf_key: Annotated[str, Doc("base64url key of CSRF tokens before sign-in")]
    iin_key: Annotated[str, Doc("base64url key that seals IINs, a row each")]
    iin_index_key: Annotated[str, Doc("base64url key of the IIN's blind index; in no database and no backup of one")]
    rescue_private_key: Annotated[str, Doc("base64url X25519 key that opens rescue files")]
    factor_key: Annotated[str, Doc("base64url key that seals the secrets of staff's authenticator apps")]
    signon_key: Annotated[
        str, Doc("base64url key that seals secrets of sign-on: of other providers, and our signing keys")
    ]
    link_key: Annotated[str, Doc("base64url key that links in mail and to files are made with")]
    mail_url: Annotated[
        str, Doc("Mail server: smtp://LOGIN:PASSWORD@HOST:587 (STARTTLS) or smtps://…:465; empty: mail is off")
    ] = ""
    mail_from: Annotated[str, Doc("Sender of our mail, as «El Úmiti <noreply@example.kz>»")] = ""
    sms_url: Annotated[
        str, Doc("SMS gateway with {phone}, {text} and {key} after the ?, sent by POST; empty: SMS are off")
    ] = ""
    sms_key: Annotated[str, Doc("The SMS gateway's key; without {key} in sms_url it goes as a Bearer token")] = ""
    clamd_address: Annotated[
        str, Doc("Virus scanner clamd: tcp://HOST:3310 or unix:///PATH; empty: documents are «not checked»")
    ] = ""
    look_key: Annotated[str, Doc("Key that the portal shows to proctoring when it asks for a picture")]
    proctoring_internal_url: Annotated[str, Doc("Address of proctoring's look service as seen from the portal")] = ""
    live_key: Annotated[str, Doc("base64url key of tickets to a live view")]
    live_urls: Annotated[list[str], Doc("Public addresses of the live view's forwarders; empty: there is none")] = []
    token_check_url: Annotated[str, Doc("Engine's address as seen from the portal")] = ""
    player_url: Annotated[str, Doc("Address of the player that is printed on slips")] = ""
    portal_url: Annotated[str, Doc("The portal's own public address")] = ""
    status_url: Annotated[str, Doc("Public address of the status page")] = ""
    trusted_proxies: Annotated[list[str], Doc("Addresses or networks whose X-Forwarded-For is believed")] = []
    metrics_from: Annotated[
        list[str], Doc("Addresses or networks that may read /metrics; for others it is not there")
    ] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])
    secure_cookies: Annotated[bool, Doc("Send cookies over HTTPS only; off on the loopback demo")] = True
    demo: Annotated[bool, Doc("Show the demo's page with its logins; such a portal binds to loopback")] = False


class ScoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Scoring: the one role that reads the answer keys."""

    database_url: Annotated[str, Doc("Postgres as elumiti_scoring")]
    valkey_url: Annotated[str, Doc("Valkey of the job queue")]
    objects: Annotated[ObjectStore, Doc("Object store")]
    score_bucket: Annotated[str, Doc("Bucket of scoring runs")] = "scores"
    score_key: Annotated[str, Doc("base64url key that answer keys in kept snapshots are sealed with")]


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti trace`: which attempts fit a leaked screenshot (SAFETY D4). Not held by any running process."""

    database_url: Annotated[str, Doc("Postgres as elumiti_portal")]
    order_key: Annotated[str, Doc("base64url key from which each attempt's order of items is drawn")]


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti audit-head`: the audit trail's newest fingerprint, to be published elsewhere (SAFETY J5)."""

    database_url: Annotated[str, Doc("Postgres as elumiti_portal")]


class StatusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti status`: probes the platform as a visitor would, puts outages down, writes the status page's files."""

    database_url: Annotated[str, Doc("Postgres as elumiti_status")]
    probe_engines: Annotated[list[str], Doc("Public addresses of the player; several where there are several fronts")]
    probe_portal: Annotated[str, Doc("Public address of the portal")]
    probe_every_s: Annotated[float, Doc("Pause between two looks, in seconds")] = 1.0
    status_dir: Annotated[str, Doc("Folder of the status page's files")]


class StatusPageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti status-page`: serves that folder. Knows no other part and no secret."""

    status_dir: Annotated[str, Doc("Folder of the status page's files")]
    status_host: Annotated[str, Doc("Address to listen on")] = "127.0.0.1"
    status_port: Annotated[int, Doc("Port to listen on")] = 8200


class ProctoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The ingest of pictures and the process that looks at them, checks them and erases them."""

    database_url: Annotated[str, Doc("Postgres as elumiti_proctoring")]
    objects: Annotated[ObjectStore, Doc("Object store")]
    picture_bucket: Annotated[str, Doc("Bucket of the pictures' segments; in no long backup")] = "pictures"
    picture_token_keys: Annotated[dict[str, str], Doc("key number → base64url key of tokens for pictures")]
    picture_kek: Annotated[str, Doc("base64url key that the sittings' keys are wrapped by; in no backup")]
    look_key: Annotated[str, Doc("Key that the portal shows to proctoring when it asks for a picture")]
    live_key: Annotated[str, Doc("base64url key of tickets to a live view")]
    player_origins: Annotated[list[str], Doc("Origins of the player that may send pictures, as https://test.example")]
    spool_dir: Annotated[str, Doc("Folder of pictures on their way to the store")]
    spool_bytes: Annotated[int, Doc("Bytes that may wait in the folder before phones get 503")] = 20 * 2**30
    spool_free_bytes: Annotated[int, Doc("Bytes of the disk that stay free before phones get 503")] = 2 * 2**30
    segment_bytes: Annotated[int, Doc("Size at which a segment is closed and sent to the store")] = 8 * 2**20
    segment_s: Annotated[float, Doc("Age at which a segment is closed and sent to the store, in seconds")] = 10.0
    uploads: Annotated[int, Doc("Segments that one process sends to the store at a time")] = 4
    refresh_every_s: Annotated[float, Doc("How often watched sittings and refusals are read, in seconds")] = 2.0
    body_limit_s: Annotated[float, Doc("How long a request's body may be on its way before 408, in seconds")] = 60.0
    check_one_of: Annotated[int, Doc("Of how many snapshots one is looked at by the server's checks")] = 20
    look_host: Annotated[str, Doc("Where the look service listens")] = "127.0.0.1"
    look_port: Annotated[int, Doc("Port of the look service")] = 8121
    trusted_proxies: Annotated[list[str], Doc("Addresses or networks whose X-Forwarded-For is believed")] = []
    metrics_from: Annotated[
        list[str], Doc("Addresses or networks that may read /metrics; for others it is not there")
    ] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`elumiti live`: passes the picture of one child on to one proctor. Holds no key of a stored picture."""

    database_url: Annotated[str, Doc("Postgres as elumiti_proctoring")]
    live_key: Annotated[str, Doc("base64url key of tickets to a live view")]
    live_url: Annotated[str, Doc("This forwarder's own public address: one of live_urls")]
    live_origins: Annotated[
        list[str], Doc("Origins of player and portal, whose pages may ask, as https://test.example")
    ]
    live_host: Annotated[str, Doc("Where the forwarder's signalling listens")] = "127.0.0.1"
    live_port: Annotated[int, Doc("Port of the forwarder's signalling")] = 8122
    live_public_address: Annotated[
        str, Doc("Address that phones reach this machine's UDP by, where it has another one of its own")
    ] = ""
    live_ice_servers: Annotated[
        list[str], Doc("STUN and TURN that browsers are told of: stun:HOST:3478, turn:HOST:3478?transport=tcp")
    ] = []
    live_turn_key: Annotated[str, Doc("coturn's static-auth-secret; empty: TURN without a password")] = ""
    live_most_views: Annotated[int, Doc("Views at a time; more get 503")] = 200
    live_most_s: Annotated[int, Doc("How long one view lasts, in seconds (SAFETY R4: 180 at the most)")] = 180
    live_kbit: Annotated[int, Doc("What a phone is asked to send at the most, in kbit/s")] = 150
    live_most_kbit: Annotated[int, Doc("What is passed on of one phone at the most, in kbit/s")] = 400
    refresh_every_s: Annotated[float, Doc("How often withdrawals and ends are read, in seconds")] = 2.0
    trusted_proxies: Annotated[list[str], Doc("Addresses or networks whose X-Forwarded-For is believed")] = []
    metrics_from: Annotated[
        list[str], Doc("Addresses or networks that may read /metrics; for others it is not there")
    ] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])


PROCESSES: dict[str, type[msgspec.Struct]] = {
    "owner": OwnerSettings,
    "pack": PackSettings,
    "engine": EngineSettings,
    "release": ReleaseSettings,
    "flusher": FlusherSettings,
    "portal": PortalSettings,
    "proctoring": ProctoringSettings,
    "live": LiveSettings,
    "scoring": ScoringSettings,
    "trace": TraceSettings,
    "audit": AuditSettings,
    "restore": RestoreSettings,
    "status": StatusSettings,
    "status-page": StatusPageSettings,
}


class SettingsError(Exception):
    """A setting is missing or cannot be read; the message says which and what to do."""


def read(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """The settings of one process from the environment (values that are not plain strings are JSON)."""
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        name = PREFIX + field.name.upper()
        raw = source.get(name)
        if raw is None:
            if field.required:
                msg = f"{name} is not set. On one machine run `elumiti up` first; elsewhere set it ({_doc(field)})."
                raise SettingsError(msg)
            continue
        values[field.name] = raw if _base(field.type) is str else _json(name, raw)
    try:
        made = msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        msg = f"Settings of {kind.__name__}: {error}."
        raise SettingsError(msg) from error
    for name in NETWORKS & set(kind.__struct_fields__):
        try:
            networks(getattr(made, name))
        except ValueError as error:
            msg = f"{PREFIX}{name.upper()}: {error}. Write addresses or networks, as 10.0.0.1 or 10.0.0.0/8."
            raise SettingsError(msg) from error
    return made


def write(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment that `read` turns back into these values."""
    return {
        PREFIX + name.upper(): value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in settings.items()
    }


def _json(name: str, raw: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        msg = f"{name} must be JSON, and is not: {error}."
        raise SettingsError(msg) from error


def _base(kind: object) -> object:
    return getattr(kind, "__origin__", kind)


def _doc(field: msgspec.structs.FieldInfo) -> str:
    notes = getattr(field.type, "__metadata__", ())
    return next((note.text for note in notes if isinstance(note, Doc)), field.name)
