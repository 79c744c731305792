"""The far end of every alert in the demo and the end-to-end tests.

An SMTP server and the HTTP endpoints of Slack's incoming webhooks, PagerDuty's Events API v2 and Alertmanager's
generic webhook. Each one checks what it is sent as the real service would, answers as the real service would, and
keeps what it accepted so that it can be asked what arrived.
"""
