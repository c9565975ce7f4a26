"""The processes of a benchmark: their environment, CPU time and end."""

import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a process has started, or has ended


def environment(database_url: str) -> dict[str, str]:
    """Return this process's environment with the benchmarks' settings and this database."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "PYTHONWARNINGS": "ignore",
    }


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, of all its threads, those that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]  # Fields 14 and 15 of proc(5): utime and stime.
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def stop(process: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
