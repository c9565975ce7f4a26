"""
Field trials of refreshing, with clients as people write them: ``make trials``.

    node         parallel calls of one page without a lock, over HTTP, from node
    chromium     the same from Chromium, and two tabs of one origin with localStorage
    families     two tabs and three processes with one store; answers are lost, then tokens stolen
    followers    a thief who refreshes within the grace after each of the owner's rotations
    rendering    a server that renders pages has one session with the browser

The last three call the verbs with a virtual clock, so that days pass at once. Every trial runs on SQLite
and on PostgreSQL, with the default lifetimes. ``suite`` says how often, ``figures`` what is counted.
"""

GROUPS = ("node", "chromium", "families", "followers", "rendering")
