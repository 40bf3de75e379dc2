"""Lets the tests of this folder import its toy language."""
