"""Hooks of Schemathesis for the query API: what exists, and rules over several members, that no schema can state."""

import re
import unicodedata
from urllib.parse import unquote

import schemathesis

CURSOR_CHARACTERS_MAX = 4096
# The smallest number that DynamoDB holds, and the largest integer that a double holds exactly.
NUMBER_MIN = 1e-130
STORABLE_TIME = re.compile(r"^(19[89]\d|20[01]\d)-")
DURATION = re.compile(r"^[1-9]\d{0,8}(?:ms|s|m|h|d)$")
KEY = re.compile(r"^[\x21-\x7e]{1,128}$")


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query or {}
    # Which cursors exist no schema says. One that the schema refuses stays.
    cursor = query.get("cursor")
    if isinstance(cursor, str):
        if len(cursor) <= CURSOR_CHARACTERS_MAX:
            del query["cursor"]
        else:
            # Too long for a cursor, not for a request.
            query["cursor"] = "c" * (CURSOR_CHARACTERS_MAX + 1)
    # No pattern that every tool reads can name the classes of characters of an id.
    device_id = (case.path_parameters or {}).get("deviceId")
    if isinstance(device_id, str) and any(map(is_unfit, unquote(device_id))):
        case.path_parameters["deviceId"] = "sensor-0002"
    # As with the id in a path.
    ids = query.get("ids")
    if isinstance(ids, str) and any(map(is_unfit, ids)):
        query["ids"] = "sensor-0002,sensor-0006"
    # The range and the interval of a series make a bounded number of buckets.
    if DURATION.match(str(query.get("interval", ""))):
        query["interval"] = "1m"
    if case.operation.path.endswith("/series") and re.match(r"^(\d{4}-|now)", str(query.get("from", ""))):
        query["from"] = "now-1h"
        query.pop("to", None)
    # Moments that can be stored have been, and come one after the other.
    for name in ("from", "to", "at", "diff"):
        time = query.get(name)
        if isinstance(time, str) and re.match(r"^(\d{4}-|now-)", time) and not STORABLE_TIME.match(time):
            query[name] = "now-1h"
    if "from" in query and "to" in query:
        del query["to"]
    # A basis is of a past state.
    if "at" not in query and "diff" not in query:
        query.pop("basis", None)
    # The past of the fleet is listed by id alone.
    if case.operation.path.endswith("/devices") and "at" in query:
        query.pop("sort", None)
    # A key that was used is refused with other content: that is no matter of the schema.
    headers = case.headers or {}
    if KEY.match(str(headers.get("Idempotency-Key", ""))):
        del headers["Idempotency-Key"]
    if isinstance(case.body, dict):
        case.body = storable(case.body)


def is_unfit(character):
    return unicodedata.category(character)[0] in "CZ"


def storable(value):
    if isinstance(value, float) and abs(value) < NUMBER_MIN:
        return 0
    if isinstance(value, dict):
        return {name: storable(member) for name, member in value.items()}
    if isinstance(value, list):
        return [storable(member) for member in value]
    return value
