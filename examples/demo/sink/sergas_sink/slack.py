"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

from collections.abc import Iterator

from sergas_sink.message import Message, RefusedError, alerts_in, status_in
from sergas_sink.shape import JSONObject, objects, wrong_types

MAX_ATTACHMENTS = 100
_COLOURS = {"danger": "firing", "good": "resolved"}
_ATTACHMENT_TEXTS = ("title", "title_link", "pretext", "text", "fallback", "footer", "color", "callback_id")


def read(payload: object, name: str) -> Message:
    """Read what was posted to `/slack/<name>`.

    Raises:
        RefusedError: With Slack's own status and word: `invalid_payload`, `no_text`, `too_many_attachments`
            or `channel_not_found`.
    """
    if not isinstance(payload, dict):
        raise RefusedError(400, "invalid_payload", "the body must be a JSON object")
    wrong = list(_wrong(payload))
    if wrong:
        raise RefusedError(400, "invalid_payload", *wrong)
    if not any(payload.get(field) for field in ("text", "attachments", "blocks")):
        raise RefusedError(400, "no_text", "text, attachments and blocks are all empty")
    if len(payload.get("attachments") or []) > MAX_ATTACHMENTS:
        raise RefusedError(400, "too_many_attachments", f"attachments holds more than {MAX_ATTACHMENTS}")
    channel = payload.get("channel") or ""
    if channel and not channel.startswith(("#", "@", "C", "D", "G", "U")):
        raise RefusedError(404, "channel_not_found", "channel must start with # or @, or be a channel's id")
    return _message(payload, name, channel)


def _wrong(payload: JSONObject) -> Iterator[str]:
    yield from wrong_types(
        payload, "", text=str, channel=str, username=str, icon_emoji=str, icon_url=str, attachments=list, blocks=list
    )
    for path, attachment in objects(payload, "", "attachments"):
        if attachment is None:
            yield f"{path} must be an object"
            continue
        yield from wrong_types(attachment, f"{path}.", **dict.fromkeys(_ATTACHMENT_TEXTS, str))
        yield from wrong_types(attachment, f"{path}.", fields=list, actions=list, mrkdwn_in=list)
        yield from _wrong_fields(attachment, path)


def _wrong_fields(attachment: JSONObject, path: str) -> Iterator[str]:
    for field_path, item in objects(attachment, f"{path}.", "fields"):
        if item is None:
            yield f"{field_path} must be an object"
        else:
            yield from wrong_types(item, f"{field_path}.", title=str, value=str, short=bool)


def _message(payload: JSONObject, name: str, channel: str) -> Message:
    attachments = payload.get("attachments") or []
    texts = [payload.get("text") or ""]
    for attachment in attachments:
        texts += [attachment.get(part) or "" for part in ("title", "pretext", "text", "fallback")]
        texts += [f"{item.get('title')}: {item.get('value')}" for item in attachment.get("fields") or []]
    text = "\n".join(dict.fromkeys(part for part in texts if part))
    subject = next((item["title"] for item in attachments if item.get("title")), text.partition("\n")[0])
    status = status_in(text)
    if status == "unknown" and attachments:
        status = _COLOURS.get(attachments[0].get("color") or "", "unknown")
    return Message("slack", status, subject, text, alerts_in(subject, text), via=name, channel=channel)
