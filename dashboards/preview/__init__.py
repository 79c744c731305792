"""Pictures of the dashboards from a Prometheus alone: a preview, and not Grafana.

`python -m dashboards.preview` asks a Prometheus every panel's queries and draws each dashboard as an HTML page and as
PNG pictures for a wide screen and a phone. It reads the JSON that the chart ships, so it shows what Grafana would be
given; how Grafana itself lays out and colours a panel differs in detail.
"""
