"""The status of a SergasMonitoring and the Events about it."""
