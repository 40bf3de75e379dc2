"""Errors that the user can mend."""


class UserError(Exception):
    """Bad input or a bad option: the message says what is wrong, where, and what to do.

    Steps print it without a traceback and exit with status 1.
    """
