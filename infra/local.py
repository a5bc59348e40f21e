"""The one-machine installation: its home folder, its secrets, its ports, and each process's environment.

Everything lies in one folder (`var/` or `ELUMITI_HOME`). Secrets are drawn on the first start, readable by the owner
only. `environment` gives a process the settings of its own struct and nothing else (SAFETY D5).
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import stat
from pathlib import Path

import msgspec
from nacl.public import PrivateKey

from infra.settings import PROCESSES, write

ROLES = (
    *("elumiti_owner", "elumiti_engine", "elumiti_flusher", "elumiti_portal", "elumiti_scoring", "elumiti_status"),
    *("elumiti_release", "elumiti_proctoring"),
)
DATABASE = "elumiti"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (a name for what --host and --lan may ask for)
# Scores, answers, codes' hashes and logs: folders of a home that nobody else on the machine may read. The home itself
# stays open to pass, and Postgres has its own: started as root, both belong to another account.
PRIVATE = ("objects", "valkey", "log", "engine", "pictures")
PRIVATE_MODE = 0o700
# Commands that a person runs sign in to Postgres as the process whose tables they read.
ROLE_OF = {
    "pack": "portal",
    "trace": "portal",
    "audit": "portal",
    "restore": "owner",
    "status-page": "status",
    "live": "proctoring",
}


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where each part listens."""

    engine: int = 8100
    portal: int = 8000
    postgres: int = 5540
    valkey: int = 6390
    objects: int = 9010
    flusher: int = 8110
    status: int = 8200
    pictures: int = 8120
    look: int = 8121
    live: int = 8122


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """All secrets of a one-machine installation.

    `demo` marks those that a demo drew, `lan` those of them that were drawn to be served beyond loopback (SAFETY J9).
    """

    demo: bool
    lan: bool = False
    role_passwords: dict[str, str]
    objects_access_key: str
    objects_secret_key: str
    valkey_password: str
    token_keys: dict[str, str]
    time_key: str
    order_key: str
    code_pepper: str
    receipt_key: str
    csrf_key: str
    link_key: str
    iin_key: str
    iin_index_key: str
    release_private_key: str
    rescue_private_key: str
    score_key: str
    factor_key: str
    signon_key: str
    picture_token_keys: dict[str, str]
    picture_kek: str
    look_key: str
    live_key: str


class Home(msgspec.Struct, frozen=True):
    """A home folder and what is in it."""

    folder: Path
    ports: Ports = Ports()
    host: str = "127.0.0.1"

    @property
    def near(self) -> str:
        """Where this machine itself reaches what listens on `host`."""
        return "127.0.0.1" if self.host in (*LOOPBACK, *EVERYWHERE) else self.host

    @property
    def address(self) -> str:
        """What others type: the host, or this machine's own address if it listens on all."""
        return lan_address() if self.host in EVERYWHERE else self.host

    def part(self, name: str) -> Path:
        """The data folder of a part."""
        return self.folder / name

    def log(self, name: str) -> Path:
        """The log file of a part."""
        return self.folder / "log" / f"{name}.log"


def keep_private(folder: Path) -> None:
    """A folder that its owner alone may enter, made or found: what lies in it has no modes of its own to rely on."""
    folder.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != PRIVATE_MODE:
        folder.chmod(PRIVATE_MODE)


def default_home() -> Home:
    """`ELUMITI_HOME` or `var/` below the working folder, with the ports it was last started on."""
    folder = Path(os.environ.get("ELUMITI_HOME", "var")).resolve()
    ports = folder / "ports.json"
    return Home(folder, msgspec.json.decode(ports.read_bytes(), type=Ports) if ports.exists() else Ports())


def lan_address() -> str:
    """This machine's address in its network: the one that it would send from. Nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # An address set aside for documentation (RFC 5737); connecting a datagram socket only picks a route.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def load_secrets(home: Home, *, demo: bool = True, lan: bool = False) -> Secrets:
    """The home's secrets; drawn now if there are none yet."""
    path = home.folder / "secrets.json"
    known: dict[str, object] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    roles: dict[str, str] = msgspec.convert(known.get("role_passwords", {}), dict[str, str])
    if {*Secrets.__struct_fields__} <= known.keys() and {*ROLES} <= roles.keys():
        return msgspec.convert(known, Secrets)
    # A home of an earlier release gets what it lacks; what it has stays.
    fresh = {"lan": False} if known else {"demo": demo, "lan": lan}
    complete = msgspec.convert(_drawn() | fresh | known | {"role_passwords": _role_passwords() | roles}, Secrets)
    home.folder.mkdir(parents=True, exist_ok=True)
    # Beside its place, then moved: a start that is killed here leaves no half of a file.
    unfinished = path.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(complete), indent=2))
    unfinished.replace(path)
    return complete


def _drawn() -> dict[str, object]:
    """Every secret, fresh."""
    return {
        "role_passwords": _role_passwords(),
        "objects_access_key": "elumiti",
        "objects_secret_key": secrets.token_urlsafe(24),
        "valkey_password": secrets.token_urlsafe(24),
        "token_keys": {"1": draw_key()},
        "time_key": draw_key(),
        "order_key": draw_key(),
        "code_pepper": draw_key(),
        "receipt_key": draw_key(),
        "csrf_key": draw_key(),
        "link_key": draw_key(),
        "iin_key": draw_key(),
        "iin_index_key": draw_key(),
        "release_private_key": encode_key(bytes(PrivateKey.generate())),
        "rescue_private_key": encode_key(bytes(PrivateKey.generate())),
        "score_key": draw_key(),
        "factor_key": draw_key(),
        "signon_key": draw_key(),
        "picture_token_keys": {"1": draw_key()},
        "picture_kek": draw_key(),
        "look_key": draw_key(),
        "live_key": draw_key(),
    }


def _role_passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(18) for role in ROLES}


def draw_key() -> str:
    """A fresh 32-byte key, base64url."""
    return encode_key(secrets.token_bytes(32))


def encode_key(key: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def decode_key(text: str) -> bytes:
    """The bytes of `encode_key`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def database_url(home: Home, role: str, password: str, database: str = DATABASE) -> str:
    """The URL of the embedded Postgres for a role."""
    return f"postgresql://{role}:{password}@127.0.0.1:{home.ports.postgres}/{database}"


def environment(home: Home, process: str, database: str = DATABASE) -> dict[str, str]:
    """The settings of `process` as environment variables: those of its struct, and no others."""
    drawn = load_secrets(home)
    role = ROLE_OF.get(process, process)
    values: dict[str, object] = {
        "database_url": database_url(home, f"elumiti_{role}", drawn.role_passwords[f"elumiti_{role}"], database),
        "owner_database_url": database_url(home, "elumiti_owner", drawn.role_passwords["elumiti_owner"], database),
        "role_passwords": drawn.role_passwords,
        "valkey_url": f"redis://:{drawn.valkey_password}@127.0.0.1:{home.ports.valkey}/0",
        "objects": {
            "url": f"http://127.0.0.1:{home.ports.objects}",
            "access_key": drawn.objects_access_key,
            "secret_key": drawn.objects_secret_key,
        },
        "token_keys": drawn.token_keys,
        "time_key": drawn.time_key,
        "order_key": drawn.order_key,
        "code_pepper": drawn.code_pepper,
        "receipt_key": drawn.receipt_key,
        "csrf_key": drawn.csrf_key,
        "link_key": drawn.link_key,
        "iin_key": drawn.iin_key,
        "iin_index_key": drawn.iin_index_key,
        "release_private_key": drawn.release_private_key,
        "release_public_key": _public(drawn.release_private_key),
        "rescue_private_key": drawn.rescue_private_key,
        "rescue_public_key": _public(drawn.rescue_private_key),
        "score_key": drawn.score_key,
        "factor_key": drawn.factor_key,
        "signon_key": drawn.signon_key,
        "picture_token_keys": drawn.picture_token_keys,
        "picture_kek": drawn.picture_kek,
        "look_key": drawn.look_key,
        "live_key": drawn.live_key,
        "live_url": f"http://{home.address}:{home.ports.live}",
        "live_urls": [f"http://{home.address}:{home.ports.live}"],
        "live_host": home.host,
        "live_port": home.ports.live,
        "live_origins": [
            f"http://{host}:{port}"
            for host in dict.fromkeys((home.address, home.near, "localhost"))
            for port in (home.ports.engine, home.ports.portal)
        ],
        "spool_dir": str(home.part("pictures")),
        "pictures_url": f"http://{home.address}:{home.ports.pictures}",
        "player_origins": [
            f"http://{host}:{home.ports.engine}" for host in dict.fromkeys((home.address, home.near, "localhost"))
        ],
        "proctoring_internal_url": f"http://{home.near}:{home.ports.look}",
        "look_host": home.near,
        "look_port": home.ports.look,
        "metrics_port": home.ports.flusher,
        "snapshot_dir": str(home.part("engine")),
        "player_dir": str(Path(__file__).parent.parent / "engine" / "player" / "dist"),
        "token_check_url": f"http://{home.near}:{home.ports.engine}",
        "player_url": f"http://{home.address}:{home.ports.engine}/",
        "portal_url": f"http://{home.address}:{home.ports.portal}/",
        "probe_engines": [f"http://{home.near}:{home.ports.engine}/"],
        "probe_portal": f"http://{home.near}:{home.ports.portal}/",
        "status_url": f"http://{home.address}:{home.ports.status}/",
        "status_dir": str(home.part("status")),
        "status_host": home.host,
        "status_port": home.ports.status,
        "secure_cookies": False,
        # The portal's page of logins is for this machine alone; a network reads them from the terminal's owner.
        "demo": drawn.demo and (process != "portal" or home.host in LOOPBACK),
    }
    own = PROCESSES[process].__struct_fields__
    return write({name: value for name, value in values.items() if name in own}) | _otherwise(home).get(process, {})


def _otherwise(home: Home) -> dict[str, dict[str, str]]:
    """Variables by process that this home gives otherwise: a cluster's (`infra.cluster.plan`)."""
    path = home.folder / "settings.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]]) if path.exists() else {}


def _public(private_key: str) -> str:
    return encode_key(bytes(PrivateKey(decode_key(private_key)).public_key))


def adopt(process: str) -> None:
    """Let a command run by hand find the home's settings; what the environment already says stands."""
    if "ELUMITI_DATABASE_URL" in os.environ or "ELUMITI_OWNER_DATABASE_URL" in os.environ:
        return
    home = default_home()
    if (home.folder / "secrets.json").exists():
        for name, value in environment(home, process).items():
            os.environ.setdefault(name, value)
