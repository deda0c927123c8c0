"""The generated protobuf modules are those of the .proto, and import without a warning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROTO = Path("connectors/salesforce/proto/pubsub_api.proto")
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("proto")
    kinds = [f"--{kind}={target}" for kind in ("python_out", "grpc_python_out", "mypy_out", "mypy_grpc_out")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT), *kinds, str(PROTO)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PATH": path})
    return target


@pytest.mark.parametrize("ending", GENERATED)
def test_the_committed_modules_are_what_the_command_in_the_proto_generates(made: Path, ending: str) -> None:
    name = PROTO.with_name(PROTO.stem + ending)
    assert (ROOT / name).read_text() == (made / name).read_text(), "run the command in the header of the .proto"


def test_the_generated_modules_import_without_a_warning() -> None:
    code = "import connectors.salesforce.proto.pubsub_api_pb2_grpc"
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)
