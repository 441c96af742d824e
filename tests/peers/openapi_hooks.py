"""What `openapi.py` adds to the requests that schemathesis makes."""
import os
import zlib

import schemathesis

TASKS = os.environ["ALOUD_TASKS"].split(",")
# The longest that a request may wait for a task, in seconds; a number beyond all times is left as it is.
WAIT, NO_TIME = 0.1, 1.8e19


def chance_of(value):
    return zlib.crc32(str(value).encode("utf-8", "surrogatepass"))


def likely(terms):
    """Of what nearly every text is refused for, little is left."""
    for name, is_left in (("voice", 10), ("out", 5), ("speaker", 5), ("memory_bytes", 5), ("cpu_seconds", 5)):
        if name in terms and chance_of(terms[name]) % is_left:
            del terms[name]
    if terms.get("after") and chance_of(terms["after"]) % 5:
        is_list = isinstance(terms["after"], list)
        terms["after"] = TASKS if is_list else ",".join(TASKS)


def timely(body):
    """What recurs must not fill the queue while requests are made, and nearly no name is an operation's."""
    schedule = body.get("schedule")
    if isinstance(schedule, dict) and isinstance(schedule.get("every"), (int, float)):
        schedule["every"] += 3600
    if "operation" in body and chance_of(body) % 2:
        body["operation"] = "narrate"
        body["parameters"] = {"text": "It struck four."}


def known(case):
    """Of what is there: half of the tasks and groups that are named, and their segments."""
    parameters = case.path_parameters or {}
    chance = chance_of(parameters.get("id"))
    if "id" in parameters and chance % 2:
        is_group = case.operation.path.startswith("/v1/groups/")
        parameters["id"] = "book" if is_group else TASKS[chance // 2 % len(TASKS)]
        if isinstance(parameters.get("n"), int):
            parameters["n"] %= 4


@schemathesis.hook
def before_call(context, case, kwargs):
    """The same request is changed in the same way again. What is wrong on purpose stays so."""
    query = case.query or {}
    if case.meta is None or case.meta.generation.mode.is_positive:
        known(case)
        if case.operation.label == "POST /v1/tasks":
            for terms in (query, case.body if isinstance(case.body, dict) else {}):
                likely(terms)
            if isinstance(case.body, dict):
                timely(case.body)
            # A key that was given to another request before.
            if chance_of(case.body) % 5:
                (case.headers or {}).pop("Idempotency-Key", None)
    try:
        if WAIT < float(query["wait"]) < NO_TIME:
            query["wait"] = WAIT
    except (KeyError, TypeError, ValueError):
        pass
