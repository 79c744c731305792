"""The Kubernetes API: the only package that sends requests to the API server."""
