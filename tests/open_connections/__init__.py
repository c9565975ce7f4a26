"""
``make connections``: measure how soon open connections end, who wins a ticket, and what async views cost.

    crowd        10,000 WebSockets: sessions are revoked and refreshed, and all that happens is counted
    plan         how far that is, and how long the rest takes
    processes    the servers, and the processes below
    app          the application that serves the WebSockets
    holder       the process that holds them
    users        the process whose users sign in, refresh and are revoked
    tickets      threads of several processes that use one ticket
    ticket_site  the same over HTTP, and a search of the logs and of Sentry's events
    parts        each part in a process of its own; the async views are those of benchmarks.asynchronous
    settings     the settings of the site
    test_small   a small version of each part
"""
