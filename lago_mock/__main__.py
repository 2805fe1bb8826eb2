"""`python -m lago_mock`: the same as the command `lago-mock`."""

from __future__ import annotations

import sys

from lago_mock.cli import main

sys.exit(main())
