"""The Grafana dashboards as code.

`python -m dashboards` writes each as JSON into the chart. To add one, write a module with a `dashboard()` beside
system_overview.py and name it in `ALL` of registry.py.
"""
