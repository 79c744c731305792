"""The demo, and the words it and the end-to-end tests use to talk to a cluster.

`kube`, `waiting`, `prometheus`, `monitoring`, `sink` and `app` are those words; `story` is what the demo does with
them.
"""
