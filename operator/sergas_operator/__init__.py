"""The Sergas operator: reconciles SergasMonitoring resources."""
