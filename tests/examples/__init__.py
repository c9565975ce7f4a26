"""
The examples of docs/examples.md, each run as it stands there.

    page       the code blocks of the page, and the project that they make
    project    what the page takes for granted: the settings and URLs of a project with the app
    serving    the project under uvicorn, in a process of its own
    server     that process

The parts that need Chromium are in tests/browser/test_examples.py.
"""
