"""What FireWorks' own configuration files may say, checked before FireWorks reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from barriers.dispatch.address import with_plain_host, with_tls_of_today
from barriers.dispatch.fireworks.private import ADAPTER, default_template
from barriers.dispatch.fireworks.queues import NAMES, Queue
from barriers.secrecy import hidden
from barriers.study.fields import Section, refusal, takes
from barriers.words import closest

_ADAPTER_KEYS = {"_fw_name", "_fw_q_type", "_fw_q_name", "_fw_template_file", "_fw_timeout", "_q_commands_override"}

Secret = Annotated[str | None, BeforeValidator(lambda value: value if value is None else str(value))]
"""Text that no message may show: whatever YAML took it for, it is no error."""


class LaunchPadFile(Section):
    """Where the jobs are kept: FireWorks' my_launchpad.yaml. Holds the password, so nobody else may read it."""

    host: str = Field("localhost", description="machine of the database", json_schema_extra=takes("its name"))
    port: int | None = Field(None, ge=1, le=65535, description="port of the database")
    name: str = Field("fireworks", description="name of the database", json_schema_extra=takes("its name"))
    username: str | None = Field(None, description="who connects", json_schema_extra=takes("a name"))
    password: Secret = Field(None, description="or $NAME, an environment variable", json_schema_extra=takes("text"))
    authsource: str | None = Field(
        None, description="database that knows the user", json_schema_extra=takes("its name")
    )
    uri_mode: bool = Field(False, description="whether host is a MongoDB connection string")
    mongoclient_kwargs: dict[str, Any] | None = Field(
        None,
        description="options of the connection, e.g. {tls: true, tlsCAFile: ...}",
        json_schema_extra=takes("options of MongoClient"),
    )
    logdir: str | None = Field(None, description="folder of FireWorks' logs", json_schema_extra=takes("a path"))
    strm_lvl: str | None = Field(
        None, description="what FireWorks prints", json_schema_extra=takes("DEBUG, INFO, WARNING, ERROR, CRITICAL")
    )
    user_indices: list[str] | None = Field(
        None, description="further indices of the jobs", json_schema_extra=takes("a list of keys")
    )
    wf_user_indices: list[str] | None = Field(
        None, description="further indices of the workflows", json_schema_extra=takes("a list of keys")
    )

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Bring what can be said in several ways into one."""
        return with_plain_host(with_tls_of_today(content))

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Fields without their secrets, for messages and tracebacks."""
        return hidden(dict(super().__repr_args__())).items()


class WorkerFile(Section):
    """Which jobs are run from here: FireWorks' my_fworker.yaml."""

    name: str = Field(description="name of the worker", json_schema_extra=takes("a name"))
    category: str | list[str] = Field("", description="categories it takes", json_schema_extra=takes("text or a list"))
    query: str = Field("{}", description="which jobs it takes", json_schema_extra=takes("JSON in quotes, e.g. '{}'"))
    env: dict[str, Any] | None = Field(None, description="what its jobs may know", json_schema_extra=takes("a mapping"))

    @field_validator("query")
    @classmethod
    def _json(cls, query: str) -> str:
        try:
            json.loads(query)
        except ValueError:
            raise refusal(query, "is no JSON", "JSON in quotes, e.g. '{}'") from None
        return query


def queue_of(content: Any) -> Queue:
    """Check what ``my_qadapter.yaml`` holds, typing errors included, which FireWorks passes over.

    Returns
    -------
    Queue
        Its queueing system.

    Raises
    ------
    ValueError
        One line that starts with the key.
    """
    if not isinstance(content, dict) or content.get("_fw_name") != ADAPTER:
        raise ValueError(f"_fw_name: is missing or another; allowed: {ADAPTER}")
    kind = content.get("_fw_q_type")
    if kind not in NAMES:
        raise ValueError(f"_fw_q_type: {kind!r} is unknown; allowed: {', '.join(NAMES)}{closest(kind, NAMES)}")
    template = Path(content.get("_fw_template_file") or default_template(kind))
    if not template.is_file():
        raise ValueError(
            f"_fw_template_file: no file {template}; allowed: a job script with places such as $${{queue}}"
        )
    queue = Queue(kind, template)
    for key in content:
        if key not in queue.keys and key not in _ADAPTER_KEYS | {"logdir"}:
            raise ValueError(
                f"{key}: has no place in the job script of {kind}; allowed: {', '.join(queue.keys)}"
                f"{closest(key, queue.keys)}"
            )
    if "singleshot" not in str(content.get("rocket_launch", "")):
        raise ValueError("rocket_launch: does not start one job; allowed: rlaunch -c FOLDER singleshot")
    return queue
