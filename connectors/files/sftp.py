"""A folder on an SFTP server (draft-ietf-secsh-filexfer-02, which is what OpenSSH speaks).

The server's key is compared with those that are written down, before anything is said to it; a key that is not among
them is never trusted, not the first time either.
"""

from __future__ import annotations

import base64
import errno
import io
import posixpath
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors.errors import AuthError, ConfigError, FarError, TransientError
from connectors.files.config import Sftp
from connectors.files.places import Look, part_of

if TYPE_CHECKING:
    import paramiko

HANG_UP_S = 5.0
REMEDY = "Give the bus's user the right on the server, or correct the path."


class SftpPlace:
    """One folder of one server: one connection, opened when first needed."""

    def __init__(self, config: Sftp) -> None:
        self._config = config
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def check(self, inner: str) -> None:
        """See `Place.check`."""
        with self._calling(f"{self._config.folder}/{inner} cannot be made"):
            sftp = self._connected()
            if not _is_folder(sftp, self._at("")):
                raise ConfigError("sftp.folder", f"{self._config.folder} is no folder there.", "Correct the path.")
            if inner and not _is_folder(sftp, self._at(inner)):
                sftp.mkdir(self._at(inner))

    def looks(self, inner: str = "") -> Mapping[str, Look]:
        """See `Place.looks`."""
        try:
            with self._calling(f"{self._at(inner)} cannot be listed"):
                found = self._connected().listdir_attr(self._at(inner))
        except _Gone:
            return {}
        files = [each for each in found if stat.S_ISREG(each.st_mode or 0)]
        return {each.filename: Look(each.st_size or 0, (each.st_mtime or 0) * 1_000_000_000) for each in files}

    def read(self, name: str) -> tuple[bytes, int] | None:
        """See `Place.read`."""
        try:
            with (
                self._calling(f"{self._at(name)} cannot be read"),
                self._connected().open(self._at(name), "rb") as file,
            ):
                changed = file.stat().st_mtime or 0
                file.prefetch()
                return file.read(), changed * 1_000_000
        except _Gone:
            return None

    def has(self, name: str) -> bool:
        """See `Place.has`."""
        try:
            with self._calling(f"{self._at(name)} cannot be looked at"):
                self._connected().stat(self._at(name))
        except _Gone:
            return False
        return True

    def move(self, name: str, to: str) -> None:
        """See `Place.move`."""
        try:
            with self._calling(f"{self._at(name)} cannot be moved to {to}"):
                self._connected().rename(self._at(name), self._at(to))
        except _Gone:
            return

    def write(self, name: str, content: bytes) -> None:
        """See `Place.write`; a server syncs no file by itself, so its power cut may cost the newest ones."""
        part = self._at(part_of(name))
        with self._calling(f"{self._at(name)} cannot be written"):
            sftp = self._connected()
            with sftp.open(part, "wb") as file:
                file.set_pipelined(True)
                file.write(content)
            if sftp.stat(part).st_size != len(content):
                raise TransientError(f"{part} was not written whole")
            sftp.posix_rename(part, self._at(name))

    def close(self) -> None:
        """See `Place.close`."""
        if self._client is not None:
            _hang_up(self._client)
        self._client = self._sftp = None

    def _at(self, name: str) -> str:
        return posixpath.join(self._config.folder, name)

    def _connected(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            self._client = _logged_in(self._config)
            self._sftp = self._client.open_sftp()
            channel = self._sftp.get_channel()
            assert channel is not None
            channel.settimeout(self._config.timeout_s)
        return self._sftp

    @contextmanager
    def _calling(self, problem: str) -> Iterator[None]:
        """What the library raises, in our words; the server's own are shown."""
        try:
            yield
        except FarError:
            raise
        except FileNotFoundError as error:
            raise _Gone(f"{problem} ({error})") from error
        except PermissionError as error:
            raise ConfigError("sftp.folder", f"{problem} ({error}).", REMEDY) from error
        except (OSError, EOFError) as error:
            raise TransientError(f"{self._config.host}: {problem} ({str(error) or type(error).__name__})") from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "paramiko":
                raise
            raise TransientError(f"{self._config.host}: {problem} ({error})") from error


class _Gone(TransientError):
    """The file is not there."""


def _is_folder(sftp: paramiko.SFTPClient, path: str) -> bool:
    try:
        return stat.S_ISDIR(sftp.stat(path).st_mode or 0)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return False


def _logged_in(config: Sftp) -> paramiko.SSHClient:
    """A connection to the server whose key is known. Raises FarError."""
    try:
        import paramiko  # slow to load, and most folders are of this machine
    except ImportError as error:
        remedy = "Install it: pip install 'lineshaft[sftp]'."
        raise ConfigError("sftp", "the library for SFTP is not installed.", remedy) from error
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    where = config.host if config.port == 22 else f"[{config.host}]:{config.port}"
    for key in map(_public_key, config.host_keys):
        client.get_host_keys().add(where, key.get_name(), key)
    try:
        _connect(client, config)
    except FarError:
        _hang_up(client)
        raise
    return client


def _hang_up(client: paramiko.SSHClient) -> None:
    """Close the connection and wait for its thread."""
    transport = client.get_transport()
    client.close()
    if transport is not None:
        transport.join(HANG_UP_S)


def _connect(client: paramiko.SSHClient, config: Sftp) -> None:
    import paramiko

    try:
        client.connect(
            config.host,
            config.port,
            config.user,
            password=None if config.password is None else config.password.get_secret_value(),
            pkey=None if config.key is None else private_key(config.key.get_secret_value()),
            timeout=config.timeout_s,
            banner_timeout=config.timeout_s,
            auth_timeout=config.timeout_s,
            channel_timeout=config.timeout_s,
            allow_agent=False,
            look_for_keys=False,
        )
    except paramiko.AuthenticationException as error:
        raise AuthError(f"{config.user}@{config.host}: {error}: compare user, key and password") from error
    except paramiko.BadHostKeyException as error:
        shown = f"{config.host} shows another key ({error.key.get_name()} {error.key.fingerprint})"
        problem = f"{shown}: it was replaced, or somebody is in between."
        raise ConfigError("sftp.host_keys", problem, "Ask the server's administrator for its key.") from error
    except paramiko.SSHException as error:
        raise TransientError(f"{config.host}: {error}") from error
    except (OSError, EOFError) as error:
        raise TransientError(
            f"{config.host}:{config.port} is not reachable ({str(error) or 'it hung up'})"
        ) from error


def _public_key(line: str) -> paramiko.PKey:
    import paramiko

    name, code, *_ = line.split(" ")
    try:
        return paramiko.PKey.from_type_string(name, base64.b64decode(code, validate=True))
    except (paramiko.SSHException, ValueError, IndexError) as error:
        remedy = "Write it as the server's administrator has it in ssh_host_ed25519_key.pub."
        raise ConfigError("sftp.host_keys", f"{line[:40]}… is no public key ({error}).", remedy) from error


def private_key(text: str) -> paramiko.PKey:
    """The private key of a file's text. Raises ConfigError."""
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text + "\n"))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ConfigError(
        "sftp.key", "is no private key of a known kind without a passphrase.", "Make one by ssh-keygen."
    )
