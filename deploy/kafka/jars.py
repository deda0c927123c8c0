"""Bring the pinned jars into the cache with nothing but Python, and let no other bytes through.

A jar is fetched into a staging folder, checked, and only then moved to its place: what lies in the cache was whole
once, and an interrupted download leaves nothing behind. Every start checks all hashes again.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeAlias

from deploy.kafka.artifacts import Artifact, sha256
from deploy.kafka.errors import BrokerError, JarCorrupt, JarsUnreachable
from deploy.kafka.progress import Say, advancing

Arrived: TypeAlias = Callable[[int], None]
"""Told how many bytes of a download have just come."""

THREADS = 8
ATTEMPTS = 3
TIMEOUT_S = 30
PAUSE_S = 1.0


def ensure(artifacts: Sequence[Artifact], cache: Path, say: Say) -> Sequence[Path]:
    """The paths of all jars in the order given, fetched where missing. The caller holds the cache's lock.

    Raises JarCorrupt for bytes that are not the pinned ones, JarsUnreachable where nothing can be fetched.
    """
    repository = cache / "maven"
    with ThreadPoolExecutor(THREADS) as pool:
        missing = [artifact for artifact in artifacts if not (repository / artifact.path).exists()]
        if missing:
            _fetch_all(missing, repository, pool, say)
        return list(pool.map(lambda artifact: checked(artifact, repository), artifacts))


def _fetch_all(missing: Sequence[Artifact], repository: Path, pool: ThreadPoolExecutor, say: Say) -> None:
    repository.mkdir(parents=True, exist_ok=True)
    title = f"kafka: fetching {len(missing)} jars into {repository} (45 MB in all, only this once)"
    with tempfile.TemporaryDirectory(dir=repository.parent) as staging, advancing(title, len(missing), say) as step:
        fetched = [pool.submit(fetch, artifact, Path(staging), repository) for artifact in missing]
        try:
            for future in fetched:
                future.result()
                step()
        finally:
            for future in fetched:
                future.cancel()


def fetch(artifact: Artifact, staging: Path, repository: Path, arrived: Arrived | None = None) -> None:
    """Bring one artifact into `repository` by way of `staging`, an empty folder of the same disk.

    `arrived` is told of every piece of the download. Raises JarCorrupt and JarsUnreachable, as `ensure` does.
    """
    downloaded = _download(artifact, staging, arrived)
    found = sha256(downloaded)
    if found != artifact.sha256:
        raise JarCorrupt(
            f"The download of {artifact.coordinates} is not the pinned jar: expected sha256 {artifact.sha256}, "
            f"found {found}. It was thrown away.",
            "Something on the way altered it, often a proxy's error page. Start again from another network, or put "
            f"the right jar at {repository / artifact.path}",
        )
    place = repository / artifact.path
    place.parent.mkdir(parents=True, exist_ok=True)
    downloaded.replace(place)


def _download(artifact: Artifact, staging: Path, arrived: Arrived | None) -> Path:
    """The file as it came. A failed attempt is repeated: 46 jars over a poor line lose one now and then."""
    try:
        import requests
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise BrokerError(
            "The embedded Kafka is not installed (jgo is missing).", "Run: pip install 'lineshaft[kafka]'"
        ) from error
    mirror = os.environ.get("LINESHAFT_MAVEN")
    context = MavenContext(
        repo_cache=staging,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        resolver=PythonResolver(progress_callback=None if arrived is None else lambda *_: nullcontext(arrived)),
        timeout=TIMEOUT_S,
    )
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    for attempt in range(1, ATTEMPTS + 1):
        (staging / artifact.path).unlink(missing_ok=True)
        try:
            return component.artifact(artifact.classifier, artifact.packaging).resolve()
        except (requests.RequestException, RuntimeError, IndexError) as error:  # IndexError: an empty .sha1 answer
            if attempt == ATTEMPTS:
                raise _unreachable(artifact, error) from error
            time.sleep(PAUSE_S * attempt)
    raise AssertionError("every attempt returns or raises")


def _unreachable(artifact: Artifact, error: Exception) -> JarsUnreachable:
    reason = str(error).splitlines()[0][:200]
    return JarsUnreachable(
        f"The broker's jar {artifact.coordinates} cannot be fetched: {type(error).__name__}: {reason}",
        "They come from Maven Central, once. Check the network (HTTPS_PROXY is honoured), name a mirror in "
        "LINESHAFT_MAVEN, or copy the cache of another machine and set LINESHAFT_CACHE to it.",
    )


def checked(artifact: Artifact, repository: Path) -> Path:
    """The artifact's place in the cache. Raises JarCorrupt where its bytes are not the pinned ones."""
    path = repository / artifact.path
    found = sha256(path)
    if found != artifact.sha256:
        raise JarCorrupt(
            f"{path} is not the pinned jar: expected sha256 {artifact.sha256}, found {found}.",
            f"Delete it and start again, it is fetched anew: rm {path}",
        )
    return path
