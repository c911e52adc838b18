# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put files in a bucket of S3, or of a server that speaks like it, by boto3.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.place import (
    TIMEOUT,
    TRIES,
    TYPES,
    Place,
    PlaceError,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import Target

try:
    import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import botocore.config  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import botocore.exceptions  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    boto3 = botocore = None

MISSING = (
    "boto3 is not installed on the controller: install it there, or use an execution environment that was built with"
    " this collection, whose meta/ee-requirements.txt names it"
)
_GONE = ("404", "NoSuchKey", "NotFound")


class S3(Place):
    """Put files in a bucket. Without a user, boto3 finds the credentials as it always does."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        if boto3 is None:
            raise PlaceError(MISSING)
        who, own = target.credentials, bool(target.reached)
        settings: dict[str, t.Any] = {
            "connect_timeout": 10,
            "read_timeout": TIMEOUT,
            "retries": {"max_attempts": TRIES, "mode": "standard"},
        }
        if own:
            settings["s3"] = {"addressing_style": "path"}
            # Servers that only speak like S3 do not all know the newer checksums. An older boto3 does not, either.
            for option in ("request_checksum_calculation", "response_checksum_validation"):
                if option in botocore.config.Config.OPTION_DEFAULTS:
                    settings[option] = "when_required"
        with self._told("open the bucket"):
            self._client = boto3.session.Session().client(
                "s3",
                endpoint_url=target.reached or None,
                region_name=(os.environ.get("AWS_DEFAULT_REGION") or "us-east-1") if own else None,
                aws_access_key_id=who.user or None,
                aws_secret_access_key=who.password or None,
                config=botocore.config.Config(**settings),
            )

    def check(self, name: str) -> None:
        """List the folder, put a small object there, and take it away again if we may."""
        self.sizes(os.path.dirname(name))
        with self._told(f"put {name}"):
            self._client.put_object(Bucket=self._target.bucket, Key=self.path(name), Body=b"", **_type_of(name))
        self._delete(name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the objects whose names begin with the folder."""
        prefix = self.path(f"{folder}/" if folder else "")
        with self._told(f"list {folder or 'the bucket'}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._target.bucket, Prefix=prefix)
            found = {one["Key"][len(prefix) :]: one["Size"] for page in pages for one in page.get("Contents", ())}
        return {name: size for name, size in found.items() if name and "/" not in name}

    def fetch(self, name: str, to: Path) -> bool:
        """Write an object to a file here."""
        try:
            with self._told(f"get {name}"):
                answer = self._client.get_object(Bucket=self._target.bucket, Key=self.path(name))
                with contextlib.closing(answer["Body"]) as body, open(to, "wb") as stream:
                    shutil.copyfileobj(body, stream)
        except _GoneError:
            return False
        return True

    def exchange(self, new: t.Mapping[str, Path], old: t.Sequence[str]) -> None:
        """Put the new objects there, and take away the old ones."""
        for name, path in new.items():
            with self._told(f"put {name}"), open(path, "rb") as body:
                self._client.put_object(Bucket=self._target.bucket, Key=self.path(name), Body=body, **_type_of(name))
        for name in old:
            self._delete(name)

    def _delete(self, name: str) -> None:
        """Take an object away. One that stays does no harm."""
        with contextlib.suppress(PlaceError), self._told(f"delete {name}"):
            self._client.delete_object(Bucket=self._target.bucket, Key=self.path(name))

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Raise :class:`PlaceError` for what boto3 raises."""
        try:
            yield
        except botocore.exceptions.ClientError as problem:
            said, status = problem.response.get("Error", {}), problem.response.get("ResponseMetadata", {})
            kind = _GoneError if said.get("Code") in _GONE else PlaceError
            words = f"{status.get('HTTPStatusCode')} {said.get('Code')} {said.get('Message', '')}"
            raise kind(f"S3 did not {what}, and answered with status {words}") from None
        except (botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error, OSError) as problem:
            raise PlaceError(f"S3 did not {what}: {problem}") from problem
        except ValueError as problem:
            # For example an endpoint that is no address.
            raise PlaceError(f"S3 did not {what}: {problem}") from problem


class _GoneError(PlaceError):
    """Raised for an object that is not there."""


def _type_of(name: str) -> dict[str, str]:
    return {"ContentType": TYPES[os.path.splitext(name)[1]]}
