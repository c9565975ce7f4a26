"""
``make audit``: fail if pip-audit finds a locked package with a known vulnerability.

If the advisory service does not answer, a message says that nothing was audited. That is a failure
only with AUDIT=strict, which is for releases; work without a network can go on.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PIP_AUDIT = Path(sys.executable).with_name("pip-audit")


def main(requirements: str, *options: str) -> int:
    """Audit the file and return the exit status; ``options`` are passed to pip-audit."""
    command = [str(PIP_AUDIT), "--format=json", "--progress-spinner=off", "--disable-pip", *options]
    done = subprocess.run(
        [*command, "--require-hashes", "--requirement", requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    packages = json.loads(done.stdout)["dependencies"] if done.stdout else []
    vulnerable = [package for package in packages if package.get("vulns")]
    skipped = [package for package in packages if "skip_reason" in package]
    for package in vulnerable:
        for known in package["vulns"]:
            names = ", ".join([known["id"], *known["aliases"]])
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {names}; fixed in {fixed}")
    if vulnerable:
        return 1
    if packages and not skipped:
        print(f"{requirements}: {len(packages)} packages, none with a known vulnerability.")
        return 0
    audited = f"only {len(packages) - len(skipped)} of {len(packages)} packages were"
    if len(packages) == len(skipped):
        audited = "nothing was"
    reason = (
        skipped[0]["skip_reason"] if skipped else (done.stderr.strip().splitlines() or [""])[-1]
    )
    print(f"{requirements}: {audited} audited for known vulnerabilities. {reason}")
    return int(os.environ.get("AUDIT") == "strict")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
