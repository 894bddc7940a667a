"""The one place that asks Flask which application this is."""

from typing import cast

from flask import Flask, current_app

from consent_track.bootstrap import Runtime

_KEY = "consent_track"


def attach(app: Flask, runtime: Runtime) -> None:
    app.extensions[_KEY] = runtime


def runtime() -> Runtime:
    """The installation this request belongs to."""
    return cast(Runtime, current_app.extensions[_KEY])
