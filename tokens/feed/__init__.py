"""
A signed feed of denials, with which other services refuse a token within a second.

    documents     one document: what is denied, its digest, and the signature
    rows          what the feed says about a row of the denylist
    listing       this process's list, which proves that it follows the database
    publication   the documents that this process serves
    push          streams, for which one thread reads
    readers       who may read
    views         the answers; ``urls`` has the routes

This package is an app of its own. It can be deleted. No other package imports it; its AppConfig
registers it. May import everything in ``tokens`` except ``apps``, ``urls`` and ``routers``.
"""
