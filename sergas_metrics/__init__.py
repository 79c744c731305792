"""Prometheus metrics of the Sergas Super Account Manager."""
