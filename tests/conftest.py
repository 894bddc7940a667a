"""What every test may ask for. The tests find the package and one another from any folder."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# No test asserts a time, a generated one neither: machines are shared.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

pytest_plugins = ["tests.fixtures_databases"]
