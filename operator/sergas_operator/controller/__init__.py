"""The controller: triggers, queue, reconcile, resync, and the operator's own health."""
