"""Errors that the user can mend."""


class UserError(Exception):
    """Bad input or a bad option: the message names what is wrong, where, and the way out.

    Steps print it without a traceback and exit with status 1.
    """
