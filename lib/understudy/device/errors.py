"""What a device's user is told."""

import zipfile
import zlib

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading arrays of a damaged file, or of another one, raises"""


class DeviceError(Exception):
    """Something that the user can mend; its text says what is wrong and the way out."""
