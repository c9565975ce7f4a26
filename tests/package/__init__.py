"""
The distribution: what it contains, and projects that install it as docs/installing.md says.

`make test-package` runs these tests. They need a package index.
"""
