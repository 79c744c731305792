"""The digest: keeps every info alert that Alertmanager tells of, and mails them once an interval.

Alertmanager forgets an alert that ends before its group's next message, and starts a group anew whenever it is
reloaded. This service is told of each alert at once, keeps it on disk, and forgets it when every mail that is to
hold it has been taken by the mail server. It knows nothing of Kubernetes.
"""
