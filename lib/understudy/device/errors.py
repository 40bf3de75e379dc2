"""Errors that a device reports to its user."""

import zipfile
import zlib

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
"""exceptions that reading arrays raises if a file is damaged or of another kind"""


class DeviceError(Exception):
    """An error that the user can mend; its text says what is wrong and what to do."""
