"""What Dask's processes know one another by (TLS): made for one step, or files of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from understudy.step.errors import UserError
from understudy.step.log import log

if TYPE_CHECKING:
    from distributed.security import Security


def temporary(folder: Path) -> Security:
    """New credentials, in files of `folder` that their owner alone can read.

    One certificate, signed by its own key, is everybody's and its own authority: who can read the key is let in, and
    nobody else is. In files, since a queue's jobs find them there.
    """
    from distributed.security import Security

    made = Security.temporary().get_tls_config_for_role("worker")
    for name in ("cert", "key"):
        with open(folder / f"{name}.pem", "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(made[name])
    return _security(folder / "cert.pem", folder / "cert.pem", folder / "key.pem")


def given(address: str, ca: Path | None, certificate: Path | None, key: Path | None) -> Security | None:
    """Those for a scheduler of the user's; None where it speaks in the clear, which is logged.

    Args:
        address: tls://host:port, or tcp://host:port in the clear.
        ca: certificates of the authority that signed those of scheduler and workers (PEM, as all three).
        certificate: by which the scheduler knows this process.
        key: of the certificate, without a password.

    Raises:
        UserError: the address is none, a file is missing, or not what it must be, or others may read the key.
    """
    url = urlsplit(address)
    if url.scheme not in ("tls", "tcp") or not url.hostname or not _port(address):
        raise UserError(f"--cluster.scheduler must be tls://host:port (or tcp://host:port), got {address}")
    files = {"--cluster.ca": ca, "--cluster.certificate": certificate, "--cluster.key": key}
    if url.scheme == "tcp":
        if useless := [option for option, file in files.items() if file]:
            raise UserError(f"{', '.join(useless)}: must go with tls://, and {address} is in the clear")
        log.warning("%s is in the clear: whoever reaches it can run code as the owner of its workers", address)
        return None
    if ca is None or certificate is None or key is None:
        missing = ", ".join(option for option, file in files.items() if file is None)
        raise UserError(f"{address} wants a file each for {missing}")
    _check(ca, certificate, key)
    return _security(ca, certificate, key)


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def _check(ca: Path, certificate: Path, key: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    for path in (ca, certificate):
        for one in _read(path, load_pem_x509_certificates, "a certificate in PEM"):
            end = one.not_valid_after_utc
            if end < datetime.now(timezone.utc):
                raise UserError(f"{path}: its certificate ended on {end:%Y-%m-%d}. Have a new one made.")
    private = _read(key, lambda data: load_pem_private_key(data, None), "a key in PEM without a password")
    if key.stat().st_mode & 0o004:
        raise UserError(f"{key}: everybody can read this key, and so act as you. Do: chmod 600 {key}")
    if private.public_key() != load_pem_x509_certificates(certificate.read_bytes())[0].public_key():
        raise UserError(f"{key}: is not the key of {certificate}. Give the one that it was made with.")


def _read(path: Path, load: Callable[[bytes], Any], what: str) -> Any:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):  # TypeError: it wants a password
        raise UserError(f"{path}: must be {what}, and is not") from None


def _security(ca: Path, certificate: Path, key: Path) -> Security:
    from distributed.security import Security

    roles = ("client", "scheduler", "worker")
    files = {"cert": str(certificate.resolve()), "key": str(key.resolve())}
    own = {f"tls_{role}_{part}": file for role in roles for part, file in files.items()}
    return Security(require_encryption=True, tls_ca_file=str(ca.resolve()), **own)
