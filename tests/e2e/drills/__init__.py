"""Alerts raised for real: a fault is begun, its alert followed to every receiver, and the fault ended.

A module of tests says what it drills and asks for the rest:

    rooms.py      namespaces with an application of their own, so that faults do not disturb each other
    stack.py      a release of the chart with a SergasMonitoring, receivers and their far end
    drill.py      a drill: alert, fault, how it begins and ends; and what came of it
    faults.py     faults: how they are begun and ended
    exporters.py  the exporters, PostgreSQL and Redis, and what they watch
    strain.py     faults of what the application stands on
    board.py      what Prometheus says and what arrives at the far end, each with the time it was first seen
    receivers.py  who is to be told of an alert, in the one place that says so
    running.py    runs drills side by side
    record.py     keeps what was measured, for `make prove-alerts`
"""
