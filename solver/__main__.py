"""``python -m ssbmech``."""

import sys

from ssbmech.cli import main

sys.exit(main())
