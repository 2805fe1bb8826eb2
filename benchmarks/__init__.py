"""Measures lago-mock against bare Starlette, side by side in one run: `make bench`."""
