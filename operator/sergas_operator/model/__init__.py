"""The SergasMonitoring resource: its typed model, its names, and the quantities and durations in it."""
