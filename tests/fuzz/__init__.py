"""
Random requests over raw sockets to the site under gunicorn and uvicorn.

    requests    one request from a seed and its number
    exchange    sends it, and reads what comes back
    promises    what must be true of every answer and of everything that the server prints
    run         sends many, and counts
"""
