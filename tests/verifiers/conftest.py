"""The verifier libraries for Node.js, which ``npm ci`` installs beside these tests."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Install what package-lock.json lists, once, and return the folder of the app."""
    if shutil.which("npm") is None:
        pytest.fail("npm is not installed. On Debian: apt install npm")
    lock, stamp = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            check=True,
            timeout=300,
            stdout=subprocess.DEVNULL,
        )
        stamp.write_bytes(lock.read_bytes())
    return FOLDER
