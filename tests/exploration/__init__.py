"""
Every order in which the statements of concurrent requests can run: ``make explore``.

Clients, a thief and operators call the functions of ``tokens`` at the same time, each from a thread
with a connection to a real database. A thread pauses before each statement, and a scheduler decides
whose statement is next. The search runs every schedule, except that it runs no state twice: a state
is what the database holds, where each actor is and what each has got.

    scenarios   who does what at the same time
    verbs       what a player can do
    player      one who acts, and notes the answers
    world       what was handed out and what was taken back
    promises    what must hold after each commit and after each schedule
    search      the search through all schedules
    turns       actors that pause before each statement, and the stage that gives one of them the turn
    databases   reset, read and describe the database; which connection waits for which
    processes   caches for each actor as if it were a process, a clock that is set, and no randomness
    faults      patches that each remove one protection, and the scenario that must notice
    worker      a process with a database of its own

A search says of every broken promise which statements lead to it. What is known to be broken is named
in its scenario, and the search fails when it no longer is.
"""
