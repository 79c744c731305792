"""`python examples/demo [up|down]`: from nothing to a delivered alert, on a real cluster."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sergas_demo.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
