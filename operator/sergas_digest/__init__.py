"""The digest service: stores the info alerts that Alertmanager posts and mails them once per interval.

Alertmanager forgets an alert that ends before its group's next notification, and every reload restarts its groups.
The digest receives each alert when it starts, stores it on disk, and deletes it after every mail that must contain it
was accepted by the mail server. It has no knowledge of Kubernetes.

alert.py validates what is posted, alert_store.py and batch_store.py keep it in the database of database.py,
schedule.py decides when a digest is due, rendering.py and message.py write the mail, smtp.py sends it, and
delivery.py connects these. server.py is the HTTP interface.
"""
