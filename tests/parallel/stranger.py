"""Who tries to run code in the processes of a step: `python stranger.py FOLDER HOST:PORT…` prints what came of it.

First its owner, with the credentials in FOLDER; then, as nobody where root may become that, without them.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from distributed.core import rpc
from distributed.protocol.pickle import dumps
from distributed.security import Security

NOBODY = 65534


async def run(address: str, security: Security | None) -> str:
    """What came of running a function there: the account, or the error."""
    arguments = security.get_connection_args("client") if security else None

    async def call() -> int:
        async with rpc(address, connection_args=arguments, timeout=15) as node:
            return (await node.run(function=dumps(os.getuid)))["result"]

    try:
        return f"ran as {await asyncio.wait_for(call(), 30)}"
    except Exception as error:  # whichever, nothing was run
        return f"{type(error).__name__}: {error}"


def talks(door: str) -> bool:
    """Whether anything but silence, or TLS's own alert, comes back from there in the clear."""
    host, port = door.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = connection.recv(100)
        except OSError:
            return False
    return bool(answer) and answer[0] != 0x15


def readable(folder: Path) -> bool:
    """Whether this account can list the folder, or read a file whose name it knows."""
    try:
        return bool(os.listdir(folder) or (folder / "key.pem").read_bytes())
    except PermissionError:
        return False


async def tried(doors: list[str], security: Security | None, scheme: str) -> list[str]:
    """`run` at each."""
    return await asyncio.gather(*(run(f"{scheme}://{door}", security) for door in doors))


def main(folder: Path, doors: list[str]) -> dict[str, Any]:
    """What came of each try."""
    owner = Security(
        require_encryption=True, tls_ca_file=str(folder / "cert.pem"), tls_client_cert=str(folder / "cert.pem"),
        tls_client_key=str(folder / "key.pem"),
    )  # fmt: skip
    came: dict[str, Any] = {"owner": asyncio.run(tried(doors, owner, "tls"))}
    other = Security.temporary()
    other.get_connection_args("client")  # what it imports, nobody may not be able to
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        came["readable"] = readable(folder)
    came["in the clear"] = asyncio.run(tried(doors, None, "tcp"))
    came["other credentials"] = asyncio.run(tried(doors, other, "tls"))
    came["talkers"] = [door for door in doors if talks(door)]
    return came


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))
