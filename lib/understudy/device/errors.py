"""What a device's user is told."""


class DeviceError(Exception):
    """Something that the user can mend; its text says what is wrong and the way out."""
